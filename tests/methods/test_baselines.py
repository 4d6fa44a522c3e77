"""Colourers that train nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from zoo import registry
from zoo.cache.images import ImageCache, View, open_images
from zoo.color.lab import uint8_to_lab
from zoo.data import Dataset
from zoo.errors import ZooError
from zoo.evaluation.evaluate import EvalConfig, Evaluation, evaluate
from zoo.features import Features
from zoo.methods import Method, Photos
from zoo.methods.grey import GreyMethod
from zoo.methods.mean import MeanMethod, mean_of
from zoo.methods.truth import TruthMethod
from zoo.metrics.colorfulness import Colorfulness
from zoo.metrics.diversity import Diversity
from zoo.metrics.psnr import PSNR
from zoo.metrics.variance import Variance

SIDE = 16


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return registry.datasets.create("synthetic", n_train=70, n_val=1, n_test=4, size=32)


def train_images(dataset: Dataset, folder: Path) -> ImageCache:
    return open_images(dataset, "train", View(SIDE), folder, drop_grey=True)


def run(colorer: Method, dataset: Dataset, folder: Path) -> tuple[Evaluation, dict[str, float | None]]:
    found = evaluate(
        colorer,
        dataset,
        [PSNR(), Colorfulness(), Diversity(samples=2), Variance(samples=3)],
        EvalConfig(grid=4, samples=2),
        image_size=SIDE,
        cache_dir=folder,
    )
    return found, {score.name: score.value for score in found.scores}


def test_grey_has_no_color(dataset: Dataset, tmp_path: Path) -> None:
    found, scores = run(GreyMethod(), dataset, tmp_path)
    assert scores["colorfulness"] == pytest.approx(0, abs=0.5)
    assert scores["colorfulness_truth"] is not None
    assert scores["colorfulness_truth"] > 5
    np.testing.assert_array_equal(found.sample_grid[:, 0], found.sample_grid[:, 1])  # as the grey beside it


def test_the_mean_is_that_of_all_training_images_pixel_by_pixel(dataset: Dataset, tmp_path: Path) -> None:
    images = train_images(dataset, tmp_path)  # more than one batch of them
    expected = uint8_to_lab(torch.from_numpy(images.batch(np.arange(len(images)))))[1].double().mean(0)
    mean = MeanMethod(mean_of(images))
    assert mean.ab.shape == (2, SIDE, SIDE)
    assert mean.ab.dtype == torch.float32
    torch.testing.assert_close(mean.ab.double(), expected, atol=1e-6, rtol=0)


def test_the_mean_gives_every_photo_the_same_chroma(dataset: Dataset, tmp_path: Path) -> None:
    mean = MeanMethod(mean_of(train_images(dataset, tmp_path)))
    photos = Photos(np.arange(2), torch.zeros(2, 1, SIDE, SIDE), torch.ones(2, 2, SIDE, SIDE))
    first, second = mean.sample(photos, Features((), None), ())
    torch.testing.assert_close(first, mean.ab)
    torch.testing.assert_close(second, mean.ab)
    assert run(mean, dataset, tmp_path)[1]["psnr"] != run(GreyMethod(), dataset, tmp_path)[1]["psnr"]


def test_a_mean_of_another_size_is_refused(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(ZooError, match="cannot colour images of 16 pixels"):
        run(MeanMethod(torch.zeros(2, 8, 8)), dataset, tmp_path)


def test_the_truth_at_full_resolution_is_the_photo_itself(dataset: Dataset, tmp_path: Path) -> None:
    _, scores = run(TruthMethod(1), dataset, tmp_path)
    assert scores["psnr"] is not None
    assert scores["psnr"] > 50
    assert scores["colorfulness_abs_diff"] == pytest.approx(0, abs=0.1)


def test_the_truth_loses_what_the_chroma_resolution_cannot_hold(dataset: Dataset, tmp_path: Path) -> None:
    psnr = [
        run(colorer, dataset, tmp_path)[1]["psnr"]
        for colorer in (TruthMethod(1), TruthMethod(2), TruthMethod(4), GreyMethod())
    ]
    assert psnr == sorted(psnr, reverse=True)
    assert len(set(psnr)) == 4


@pytest.mark.parametrize("colorer", [GreyMethod(), TruthMethod(2), MeanMethod(torch.full((2, SIDE, SIDE), 0.1))])
def test_a_baseline_says_the_same_every_time(colorer: Method, dataset: Dataset, tmp_path: Path) -> None:
    found, scores = run(colorer, dataset, tmp_path)
    assert scores["diversity_ab"] == 0
    assert scores["variance_psnr"] == pytest.approx(0, abs=1e-9)
    assert scores["variance_colorfulness"] == pytest.approx(0, abs=1e-9)
    np.testing.assert_array_equal(found.sample_grid[:, 1], found.sample_grid[:, 2])


@pytest.mark.parametrize(("scale", "said"), [(0, "expected at least 1"), (3, "no multiple of chroma_scale=3")])
def test_an_impossible_chroma_scale_is_refused(scale: int, said: str, dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(ZooError, match=said):
        run(TruthMethod(scale), dataset, tmp_path)
