"""Metrics that are a mean over images: against scikit-image, published values, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
import skimage
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import zoo
from zoo.errors import ZooError
from zoo.metrics import Metric, Score
from zoo.metrics.ciede2000 import delta_e_2000
from zoo.metrics.colorfulness import colorfulness

NAMES = ["psnr", "ssim", "ciede2000", "colorfulness"]


def images(n: int = 5, seed: int = 0, side: int = 20) -> Tensor:
    return torch.rand(n, 3, side, side, generator=torch.Generator().manual_seed(seed))


def scores(metric: Metric, pred: Tensor, truth: Tensor, cuts: tuple[int, ...] = ()) -> dict[str, Score]:
    metric.load("cpu")
    for p, t in zip(pred.tensor_split(cuts), truth.tensor_split(cuts)):
        metric.update(p, t)
    return {score.name: score for score in metric.compute()}


def pixels(x: Tensor) -> np.ndarray:
    return x.permute(0, 2, 3, 1).double().numpy()  # (N, H, W, 3)


def color(*rgb: float) -> Tensor:
    """One 4×4 image of one colour, 0..255."""
    return (torch.tensor(rgb) / 255)[None, :, None, None].expand(1, 3, 4, 4)


@pytest.mark.parametrize("name", NAMES)
def test_scores_do_not_depend_on_the_batches(name: str) -> None:
    whole = scores(zoo.create_metric(name), images(), images(seed=1))
    parts = scores(zoo.create_metric(name), images(), images(seed=1), cuts=(1, 4))
    for key, score in whole.items():
        assert score.per_image is not None
        torch.testing.assert_close(parts[key].per_image, score.per_image, rtol=1e-5, atol=1e-5)
        assert score.value == pytest.approx(score.per_image.mean().item())


@pytest.mark.parametrize("name", NAMES)
def test_scores_are_the_ones_declared_and_holes_without_images(name: str) -> None:
    metric = zoo.create_metric(name)
    found = scores(metric, images(), images(seed=1))
    assert {key: score.higher_is_better for key, score in found.items()} == metric.names()
    empty = zoo.create_metric(name).compute()
    assert all(score.value is None and score.note == "no images" for score in empty)
    assert [score.name for score in empty] == list(metric.names())


@pytest.mark.parametrize(
    ("name", "score", "best"),
    [
        ("psnr", "psnr", 100.0),
        ("ssim", "ssim", 1.0),
        ("ciede2000", "ciede2000", 0.0),
        ("colorfulness", "colorfulness_abs_diff", 0.0),
        ("colorfulness", "colorfulness_dd_abs_diff", 0.0),
    ],
)
def test_an_exact_copy_gets_the_best_score(name: str, score: str, best: float) -> None:
    assert scores(zoo.create_metric(name), images(), images())[score].value == pytest.approx(best, abs=1e-6)


def test_psnr_agrees_with_scikit_image() -> None:
    pred, truth = images(), images(seed=1)
    expected = [
        skimage.metrics.peak_signal_noise_ratio(t, p, data_range=1) for p, t in zip(pixels(pred), pixels(truth))
    ]
    np.testing.assert_allclose(scores(zoo.create_metric("psnr"), pred, truth)["psnr"].per_image, expected, rtol=1e-5)


def test_ssim_agrees_with_scikit_image() -> None:
    truth = images()
    pred = (truth + 0.2 * images(seed=1)).clamp(0, 1)
    expected = [
        skimage.metrics.structural_similarity(
            t, p, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1, channel_axis=-1
        )
        for p, t in zip(pixels(pred), pixels(truth))
    ]
    np.testing.assert_allclose(scores(zoo.create_metric("ssim"), pred, truth)["ssim"].per_image, expected, atol=1e-4)


def test_ssim_refuses_images_smaller_than_its_window() -> None:
    with pytest.raises(ZooError, match="8×8 are too small; it needs at least 11"):
        zoo.create_metric("ssim").update(images(side=8), images(side=8))


def test_ciede2000_agrees_with_scikit_image() -> None:
    pred, truth = images(), images(seed=1)
    lab = [skimage.color.rgb2lab(pixels(x)) for x in (truth, pred)]
    expected = skimage.color.deltaE_ciede2000(*lab).mean(axis=(1, 2))
    found = scores(zoo.create_metric("ciede2000"), pred, truth)["ciede2000"].per_image
    np.testing.assert_allclose(found, expected, atol=2e-3)


@pytest.mark.parametrize(
    ("lab1", "lab2", "expected"),
    [  # table 1 of Sharma, Wu & Dalal 2005
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0000),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792),
        ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
        ((50, -0.001, 2.49), (50, 0.0009, -2.49), 4.8045),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_ciede2000_gives_the_published_values_either_way_round(
    lab1: tuple[float, ...], lab2: tuple[float, ...], expected: float
) -> None:
    a, b = torch.tensor([lab1], dtype=torch.float64), torch.tensor([lab2], dtype=torch.float64)
    assert delta_e_2000(a, b).item() == pytest.approx(expected, abs=5e-5)
    assert delta_e_2000(b, a).item() == pytest.approx(expected, abs=5e-5)


def test_colorfulness_of_one_color_is_its_distance_from_grey() -> None:
    # rg = 100, yb = 50 - 0: no spread, so 0.3·√(100² + 50²)
    assert colorfulness(color(100, 0, 0)).item() == pytest.approx(0.3 * 12500**0.5, rel=1e-5)


def test_colorfulness_of_half_red_half_green_is_all_spread_and_the_absolute_variant_sees_none() -> None:
    half = torch.cat([color(100, 0, 50), color(0, 100, 50)], dim=3)  # rg = ±100, yb = 0
    assert colorfulness(half).item() == pytest.approx(100, rel=1e-5)
    assert colorfulness(half, absolute=True).item() == pytest.approx(30, rel=1e-5)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000))
def test_colorfulness_of_grey_is_zero_and_of_color_is_not(seed: int) -> None:
    rgb = images(2, seed)
    assert (colorfulness(rgb.mean(dim=1, keepdim=True).expand(-1, 3, -1, -1)) < 1e-3).all()
    assert (colorfulness(rgb) > 1).all()


def test_colorfulness_agrees_with_numpy_on_a_photo() -> None:
    photo = skimage.data.astronaut()[::8, ::8]
    r, g, b = photo.astype(float).transpose(2, 0, 1)
    rg, yb = r - g, (r + g) / 2 - b
    signed, absolute = (
        np.hypot(x.std(), y.std()) + 0.3 * np.hypot(x.mean(), y.mean()) for x, y in ((rg, yb), (abs(rg), abs(yb)))
    )
    rgb = torch.from_numpy(photo.copy()).permute(2, 0, 1)[None] / 255
    assert colorfulness(rgb).item() == pytest.approx(signed, rel=1e-5)
    assert colorfulness(rgb, absolute=True).item() == pytest.approx(absolute, rel=1e-5)


def test_the_difference_of_colorfulness_is_taken_per_image_before_the_mean() -> None:
    vivid, dull = color(200, 0, 0), color(100, 90, 90)
    found = scores(zoo.create_metric("colorfulness"), torch.cat([vivid, dull]), torch.cat([dull, vivid]))
    assert found["colorfulness"].value == pytest.approx(found["colorfulness_truth"].value)
    assert found["colorfulness_abs_diff"].value == pytest.approx((colorfulness(vivid) - colorfulness(dull)).item())
