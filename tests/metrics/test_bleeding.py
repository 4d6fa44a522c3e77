"""Colour that ends where lightness does not."""

from __future__ import annotations

import pytest
import torch
from kornia.color import lab_to_rgb
from torch import Tensor

import zoo
from zoo.metrics.bleeding import bleeding


def picture(L: Tensor, a: Tensor) -> Tensor:
    """(1, 3, H, W) sRGB of L* and a* (H, W), with b* = 10."""
    return lab_to_rgb(torch.stack([L, a, torch.full_like(L, 10)])[None])


def half(low: float, high: float, side: int = 16) -> Tensor:
    """Left half low, right half high."""
    return torch.where(torch.arange(side) < side // 2, low, high).expand(side, side).float()


def test_even_chroma_does_not_bleed_whatever_lightness_does() -> None:
    assert bleeding(picture(half(40, 70), half(20, 20))).item() == pytest.approx(0, abs=0.01)


def test_a_chroma_edge_counts_where_lightness_is_flat_and_hardly_where_it_is_not() -> None:
    spilt = bleeding(picture(half(60, 60), half(0, 20)))
    kept = bleeding(picture(half(45, 65), half(0, 20)))
    assert spilt.item() == pytest.approx(20 / 16, rel=0.05)  # a step of 20 spread over 16 columns
    assert kept < 0.05 * spilt


def test_a_stronger_edge_bleeds_more() -> None:
    weak, strong = (bleeding(picture(half(60, 60), half(0, a))) for a in (5, 25))
    assert strong.item() == pytest.approx(5 * weak.item(), rel=0.05)


def test_the_truth_is_measured_in_the_same_way_and_the_difference_is_what_counts() -> None:
    spilt, even = picture(half(60, 60), half(0, 20)), picture(half(60, 60), half(10, 10))
    metric = zoo.create_metric("bleeding")
    metric.update(torch.cat([spilt, even]), torch.cat([even, even]))
    found = {score.name: score.value for score in metric.compute()}
    assert found["bleeding"] == pytest.approx(found["bleeding_abs_diff"], abs=0.01)
    assert found["bleeding_truth"] == pytest.approx(0, abs=0.01)
    assert metric.names()["bleeding_abs_diff"] is False
