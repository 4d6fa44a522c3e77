"""What a batch draws: how much is dropped, mirrored, jittered; and that what belongs together is mirrored together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from support.models import TINY_DENOISER, tiny_model
from zoo.color.lab import uint8_to_lab, uint8_to_lightness
from zoo.data import Dataset
from zoo.faces.framing import Box, crop
from zoo.registry import datasets
from zoo.training.batches import Batches
from zoo.training.config import TrainConfig
from zoo.training.diffusion import open_batches

MANY = 2000  # enough that a share is known to a few hundredths
FRAME = Box(0.1, 0.05, 0.6)  # not in the middle: a box that was not mirrored looks elsewhere


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return datasets.create("synthetic", n_train=6, n_val=1, n_test=1, size=64)


def batches(
    dataset: Dataset,
    cache: Path,
    *,
    encoder: str = "none",
    cond: str = "none",
    frame: Box | None = None,
    size: int = 16,
    seed: int = 0,
    **options: Any,
) -> Batches:
    model = tiny_model(encoder, cond, image_size=size)
    model.encoder.frame = frame
    return open_batches(model, dataset, TrainConfig(steps=1, **options), seed=seed, cache_dir=cache)


@pytest.mark.parametrize(("p_uncond", "low", "high"), [(0.0, 0.0, 0.0), (0.1, 0.08, 0.12), (0.999, 0.99, 1.0)])
def test_as_many_images_lose_their_features_as_p_uncond_says(
    dataset: Dataset, cache: Path, p_uncond: float, low: float, high: float
) -> None:
    dropped = batches(dataset, cache, batch_size=MANY, p_uncond=p_uncond).at(0).dropped
    assert low <= dropped.float().mean().item() <= high


@pytest.mark.parametrize("p_hints", [0.0, 0.3, 1.0])
def test_as_many_images_are_told_colors_as_p_hints_says(dataset: Dataset, cache: Path, p_hints: float) -> None:
    model = tiny_model("none", "none", denoiser=TINY_DENOISER | {"hints": True})
    config = TrainConfig(steps=1, batch_size=MANY, p_hints=p_hints)
    told = open_batches(model, dataset, config, seed=0, cache_dir=cache).at(0).hinted
    assert told is not None
    assert told.flatten(1).any(dim=1).float().mean().item() == pytest.approx(p_hints, abs=0.04)


@pytest.mark.parametrize("jitter", [0.1, 0.5])
def test_saturation_is_jittered_evenly_to_both_sides(dataset: Dataset, cache: Path, jitter: float) -> None:
    factors = batches(dataset, cache, batch_size=MANY, saturation_jitter=jitter).at(0).saturation
    assert 1 - jitter <= factors.min() < 1 - 0.95 * jitter
    assert 1 + 0.95 * jitter < factors.max() <= 1 + jitter
    assert factors.mean().item() == pytest.approx(1, abs=0.05 * jitter)
    assert (factors < 1).float().mean().item() == pytest.approx(0.5, abs=0.04)


def test_without_jitter_saturation_stays(dataset: Dataset, cache: Path) -> None:
    assert torch.equal(batches(dataset, cache, batch_size=8).at(0).saturation, torch.ones(8))


def test_noise_is_standard_normal_and_of_the_size_of_chroma(dataset: Dataset, cache: Path) -> None:
    noise = batches(dataset, cache, batch_size=MANY).at(0).noise
    assert noise.shape == (MANY, 2, 4, 4)
    assert noise.mean().item() == pytest.approx(0, abs=0.02)
    assert noise.std().item() == pytest.approx(1, abs=0.02)


def test_times_fill_the_whole_interval_evenly(dataset: Dataset, cache: Path) -> None:
    model = tiny_model("none", "none", image_size=16, diffusion={"times": "uniform"})
    drawn = open_batches(model, dataset, TrainConfig(steps=1, batch_size=MANY), seed=0, cache_dir=cache).at(0).t
    t = drawn.sort().values
    torch.testing.assert_close(t, (torch.arange(MANY) + 0.5) / MANY, rtol=0, atol=1 / MANY)


def test_times_are_drawn_as_the_models_diffusion_says(dataset: Dataset, cache: Path) -> None:
    model = tiny_model("none", "none", image_size=16, diffusion={"times": "logit_normal", "times_mean": 2.0})
    drawn = open_batches(model, dataset, TrainConfig(steps=1, batch_size=MANY), seed=0, cache_dir=cache).at(0).t
    assert drawn.logit().mean().item() == pytest.approx(2, abs=0.05)


def test_times_and_images_are_not_paired_in_their_order(dataset: Dataset, cache: Path) -> None:
    t = batches(dataset, cache, batch_size=MANY).at(0).t
    order = torch.arange(MANY).float()
    assert abs(torch.corrcoef(torch.stack([t, order]))[0, 1]) < 0.1


@pytest.mark.parametrize("name", ["t", "noise", "dropped", "saturation", "images"])
def test_another_seed_draws_otherwise(dataset: Dataset, cache: Path, name: str) -> None:
    options: dict[str, Any] = {"batch_size": 64, "p_uncond": 0.5, "saturation_jitter": 0.5, "flip": False}
    one, other = (getattr(batches(dataset, cache, **options, seed=seed).at(0), name) for seed in (0, 1))
    assert not torch.equal(one, other)


def test_images_are_mirrored_otherwise_with_another_seed(dataset: Dataset, cache: Path) -> None:
    def mirrored(seed: int) -> Tensor:
        opened = batches(dataset, cache, batch_size=64, seed=seed)
        return flips(opened.at(0).images, torch.from_numpy(opened.images.batch(opened._indices(0))))

    assert not torch.equal(mirrored(0), mirrored(1))


def flips(drawn: Tensor, stored: Tensor) -> Tensor:
    """Which images were mirrored: (n,) bool; each must be the stored one or its mirror image."""
    same, mirrored = ((drawn == x).flatten(1).all(dim=1) for x in (stored, stored.flip(2)))
    assert torch.equal(same, ~mirrored)
    return mirrored


def test_half_of_the_images_are_mirrored(dataset: Dataset, cache: Path) -> None:
    opened = batches(dataset, cache, batch_size=MANY)
    stored = torch.from_numpy(opened.images.batch(opened._indices(0)))
    assert flips(opened.at(0).images, stored).float().mean().item() == pytest.approx(0.5, abs=0.04)


def test_an_image_is_mirrored_left_to_right_with_its_colors(dataset: Dataset, cache: Path) -> None:
    opened = batches(dataset, cache, batch_size=16)
    stored = torch.from_numpy(opened.images.batch(opened._indices(0)))
    assert flips(opened.at(0).images, stored).any()


def test_views_and_boxes_are_mirrored_with_their_images(dataset: Dataset, cache: Path) -> None:
    opened = batches(dataset, cache, encoder="unet", cond="concat", frame=FRAME, size=64, batch_size=16)
    batch = opened.at(0)
    assert batch.views is not None
    assert len(batch.boxes.unique(dim=0)) == 2, "some are mirrored, some are not"
    seen = crop(uint8_to_lab(batch.images)[0], batch.boxes, 64)
    views = uint8_to_lightness(batch.views)
    error = (seen - views).abs().mean(dim=(1, 2, 3))
    elsewhere = (seen - views.flip(-1)).abs().mean(dim=(1, 2, 3))
    assert (error < 0.03).all()
    assert (error < 0.5 * elsewhere).all()


def test_boxes_lie_where_the_dataset_has_the_frame(dataset: Dataset, cache: Path) -> None:
    opened = batches(dataset, cache, encoder="unet", cond="concat", frame=FRAME, flip=False, batch_size=4)
    assert dataset.face_box is not None
    expected = torch.tensor([dataset.face_box.of(FRAME)]).expand(4, 3)
    torch.testing.assert_close(opened.at(0).boxes, expected)


@pytest.mark.parametrize("frame", [None, FRAME])
def test_features_of_the_cache_are_those_of_mirrored_images(
    dataset: Dataset, cache: Path, tmp_path: Path, frame: Box | None
) -> None:
    options: dict[str, Any] = {"encoder": "hog", "cond": "concat", "frame": frame, "size": 64, "batch_size": 8}
    model = tiny_model("hog", "concat", image_size=64)
    cached = batches(dataset, cache, **options).at(0)
    computed = batches(dataset, tmp_path, **options, feature_cache_gb=0.0).at(0)
    assert cached.features is not None
    assert computed.features is None
    assert torch.equal(cached.images, computed.images)
    L = uint8_to_lab(computed.images)[0] if computed.views is None else uint8_to_lightness(computed.views)
    expected = model.encode(L, computed.boxes)
    for a, b in zip(cached.features.maps, expected.maps, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0.02)
