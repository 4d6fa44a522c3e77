"""Skin is looked for in the truth, whatever a colouring makes of it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import zoo
from zoo.color.lab import lab_to_rgb
from zoo.metrics import Score


def plain(a: float, b: float, *, L: float = 60, n: int = 1) -> Tensor:
    """Images of one colour, (n, 3, 32, 32) sRGB."""
    ab = torch.tensor([a, b])[:, None, None].expand(n, 2, 32, 32) / 110
    return lab_to_rgb(torch.full((n, 1, 32, 32), L / 50 - 1), ab)


def scores(found: Tensor, truth: Tensor) -> dict[str, Score]:
    metric = zoo.create_metric("skin_tone")
    metric.update(found, truth)
    return {score.name: score for score in metric.compute()}


SKIN, GREY, BLUE = (15.0, 26.0), (0.0, 0.0), (5.0, -30.0)


@pytest.mark.parametrize("found", [GREY, BLUE])
def test_skin_that_lost_its_color_is_an_error_and_no_missing_value(found: tuple[float, float]) -> None:
    score = scores(plain(*found), plain(*SKIN))["skin_b_abs_diff"]
    assert score.value is not None
    assert score.value > 20


@pytest.mark.parametrize("truth", [GREY, BLUE])
def test_what_looks_like_skin_in_a_coloring_alone_does_not_count(truth: tuple[float, float]) -> None:
    assert scores(plain(*SKIN), plain(*truth))["skin_b_abs_diff"].value is None
