"""The tone of skin, and scores by group of people."""

from __future__ import annotations

import math

import pytest
import torch
from kornia.color import lab_to_rgb
from scipy.stats import t
from torch import Tensor

import zoo
from zoo.evaluation.scorer import by_group
from zoo.metrics import Score
from zoo.metrics.skin_tone import skin_color, skin_mask


def skin(L: float = 65, a: float = 15, b: float = 20, side: int = 20) -> Tensor:
    """(1, 3, side, side) sRGB of one colour."""
    lab = torch.tensor([L, a, b])[None, :, None, None].expand(1, 3, side, side)
    return lab_to_rgb(lab.contiguous())


def scores(pred: Tensor, truth: Tensor) -> dict[str, Score]:
    metric = zoo.create_metric("skin_tone")
    metric.update(pred, truth)
    return {score.name: score for score in metric.compute()}


PARTS = ("b", "hue", "chroma")


def test_the_right_color_has_no_error() -> None:
    assert [score.value for score in scores(skin(), skin()).values()] == [0] * 6


@pytest.mark.parametrize("L", [65, 35])
@pytest.mark.parametrize("b", [10, 35])
def test_errors_are_those_of_b_hue_and_chroma_whatever_the_lightness(L: float, b: float) -> None:
    found = scores(skin(L, b=b), skin(L))
    hue = math.degrees(math.atan2(b, 15) - math.atan2(20, 15))
    for part, error in zip(PARTS, (b - 20, hue, math.hypot(b, 15) - 25), strict=True):
        assert found[f"skin_{part}_diff"].value == pytest.approx(error, abs=0.3)
        assert found[f"skin_{part}_abs_diff"].value == pytest.approx(abs(error), abs=0.3)


def test_errors_of_both_signs_cancel_in_the_signed_mean_alone() -> None:
    found = scores(torch.cat([skin(b=25), skin(b=15)]), torch.cat([skin(), skin()]))
    assert found["skin_b_diff"].value == pytest.approx(0, abs=0.2)
    assert found["skin_b_abs_diff"].value == pytest.approx(5, abs=0.2)


def test_hues_on_both_sides_of_the_half_turn_are_near_each_other() -> None:
    lab = torch.tensor([[60.0, -10, 1], [60, -10, -1]])[:, :, None, None].expand(2, 3, 2, 2)
    hue = skin_color(lab, torch.ones(2, 2, 2, dtype=torch.bool))[1]
    assert (hue[0] - hue[1]).item() == pytest.approx(348.6, abs=0.1)  # as they stand
    green = scores(skin(a=-15, b=-10), skin())  # 180° + 33.7° from a*; skin at 53.1°: 160.6° on, not 199.4° back
    assert green["skin_hue_diff"].value == pytest.approx(160.6, abs=0.5)


def test_the_note_tells_the_number_of_images_and_the_interval_of_the_mean() -> None:
    biases = [1.0, 2.0, 4.0, 6.0]
    found = scores(torch.cat([skin(b=20 + x) for x in biases]), torch.cat([skin()] * 4))["skin_b_diff"]
    assert found.per_image is not None
    interval = t.interval(0.95, 3, loc=found.per_image.mean(), scale=found.per_image.std() / 2)
    assert found.note == f"4 images, 95 % interval {interval[0]:.4g} to {interval[1]:.4g}"


def test_only_skin_in_the_middle_of_the_truth_counts() -> None:
    truth = torch.zeros(1, 3, 20, 20) + torch.tensor([0.1, 0.3, 0.9])[:, None, None]  # a blue wall
    truth[:, :, 8:13, 8:13] = skin(side=5)
    truth[:, :, :2, :2] = skin(side=2)
    mask = skin_mask(zoo_lab(truth))
    assert mask[0, 8:13, 8:13].all()
    assert mask.sum() == 25
    pred = truth.clone()
    pred[:, :, :8] = 0.5
    assert scores(pred, truth)["skin_b_abs_diff"].value == pytest.approx(0, abs=1e-4)


def zoo_lab(rgb: Tensor) -> Tensor:
    from kornia.color import rgb_to_lab

    return rgb_to_lab(rgb)


def test_an_image_without_skin_does_not_count_and_none_at_all_is_a_hole() -> None:
    grey = torch.full((1, 3, 20, 20), 0.5)
    found = scores(torch.cat([skin(b=30), grey]), torch.cat([skin(), grey]))["skin_b_abs_diff"]
    assert found.note == "1 image"
    assert found.per_image is not None
    assert found.per_image.isnan().tolist() == [False, True]
    assert found.value == found.per_image[0]
    assert scores(grey, grey)["skin_b_abs_diff"].value is None


def test_scores_are_averaged_over_each_group() -> None:
    score = Score("skin_b_abs_diff", 2.5, False, per_image=torch.tensor([1.0, 2.0, 3.0, 4.0, float("nan")]))
    found = by_group([score, Score("of the set", 1.0, None)], ["b", "a", "b", None, "b"])
    assert [(s.name, s.value, s.note) for s in found] == [
        ("skin_b_abs_diff[a]", 2.0, "1 image"),
        ("skin_b_abs_diff[b]", 2.0, "2 images, 95 % interval -10.71 to 14.71"),
    ]
