"""Diversity and variance: what several colourings of one image tell."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from kornia.color import lab_to_rgb
from torch import Tensor

import zoo
from zoo.errors import ZooError
from zoo.metrics import Metric, Score
from zoo.metrics.colorfulness import colorfulness


def of_colors(*ab: tuple[float, float], n: int = 1) -> Tensor:
    """Samples (S, n, 3, 4, 4) of one colour each, at L* = 60."""
    lab = torch.tensor([[60.0, a, b] for a, b in ab])
    return lab_to_rgb(lab[:, :, None, None].expand(-1, -1, 4, 4).contiguous())[:, None].expand(-1, n, -1, -1, -1)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def scores(name: str, samples: Tensor, truth: Tensor, cuts: tuple[int, ...] = ()) -> dict[str, Score]:
    metric: Metric = zoo.create_metric(name, samples=len(samples))
    for s, t in zip(samples.tensor_split(cuts, dim=1), truth.tensor_split(cuts)):
        metric.update_samples(s, t)
    return {score.name: score for score in metric.compute()}


def test_diversity_is_the_distance_of_two_colors_in_lab_units() -> None:
    samples = of_colors((10, 10), (13, 14))
    assert scores("diversity", samples, samples[0])["diversity_ab"].value == pytest.approx(5, abs=0.01)


def test_diversity_is_the_mean_over_all_pairs() -> None:
    samples = of_colors((0, 10), (3, 10), (9, 10))
    assert scores("diversity", samples, samples[0])["diversity_ab"].value == pytest.approx((3 + 6 + 9) / 3, abs=0.01)


def test_diversity_does_not_see_lightness_nor_the_truth() -> None:
    dark, bright = (lab_to_rgb(torch.tensor([L, 10.0, 10.0])[None, :, None, None].expand(1, 3, 4, 4)) for L in (40, 70))
    found = scores("diversity", torch.stack([dark, bright]), noise(1, 3, 4, 4))
    assert found["diversity_ab"].value == pytest.approx(0, abs=0.01)


def test_variance_is_the_unbiased_one_of_each_image_s_psnr_and_colorfulness() -> None:
    truth, samples = noise(2, 3, 8, 8), noise(3, 2, 3, 8, 8, seed=1)
    found = scores("variance", samples, truth)
    psnr = -10 * (samples - truth).square().mean(dim=(2, 3, 4)).double().log10()  # (S, N)
    torch.testing.assert_close(found["variance_psnr"].per_image, psnr.var(dim=0), rtol=1e-4, atol=1e-9)
    color = torch.stack([colorfulness(sample) for sample in samples]).double()
    torch.testing.assert_close(found["variance_colorfulness"].per_image, color.var(dim=0))


def test_variance_of_exact_copies_is_zero_and_finite() -> None:
    truth = noise(2, 3, 8, 8)
    assert scores("variance", truth.expand(4, -1, -1, -1, -1), truth)["variance_psnr"].value == 0


def test_the_noise_floor_is_how_far_a_mean_over_images_moves_with_the_seed() -> None:
    """√(variance / N), against the spread of that mean over many draws."""
    truth = noise(10, 3, 8, 8)
    drawn = (truth + 0.2 * torch.randn(200, 10, 3, 8, 8, generator=torch.Generator().manual_seed(1))).clamp(0, 1)
    variance = scores("variance", drawn[:50], truth)["variance_psnr"].value
    assert variance is not None
    means = -10 * (drawn - truth).square().mean(dim=(2, 3, 4)).log10().mean(dim=1)
    assert (variance / 10) ** 0.5 == pytest.approx(means.std().item(), rel=0.2)


@pytest.mark.parametrize("name", ["diversity", "variance"])
def test_values_do_not_depend_on_the_batches(name: str) -> None:
    samples, truth = noise(3, 5, 3, 8, 8), noise(5, 3, 8, 8, seed=1)
    whole, parts = scores(name, samples, truth), scores(name, samples, truth, cuts=(1, 4))
    for key, score in whole.items():
        torch.testing.assert_close(parts[key].per_image, score.per_image, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["diversity", "variance"])
def test_neither_side_is_better(name: str) -> None:
    assert set(zoo.create_metric(name).names().values()) == {None}


@pytest.mark.parametrize("name", ["diversity", "variance"])
@pytest.mark.parametrize(
    ("options", "said"),
    [({"samples": 1}, "samples=1: expected at least 2"), ({"images": 0}, "images=0: expected at least 1")],
)
def test_impossible_options_are_refused(name: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ZooError, match=f"^{said}"):
        zoo.create_metric(name, **options)


def test_a_single_coloring_is_refused_with_what_to_do() -> None:
    with pytest.raises(ZooError, match="show it several, by update_samples"):
        zoo.create_metric("diversity").update(noise(1, 3, 4, 4), noise(1, 3, 4, 4))
