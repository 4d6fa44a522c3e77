"""Losses of the first steps of the greyscale autoencoder, to the digit. `support.golden` says what to do when they
change; here the version to raise is `zoo.training.pretrain.VERSION`."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.golden import Golden
from zoo.cache.images import ImageCache, View, open_images
from zoo.encoders.unet_ae import Objective, Recipe
from zoo.registry import datasets
from zoo.training.pretrain import pretrain

GOLDEN = Golden(Path(__file__).with_name("golden_pretraining.json"), rel=1e-4, absolute=1e-5)
OBJECTIVES = {name: Objective(name) for name in ("plain", "denoising", "masked")}
ENCODER = {"width": 32, "mults": [1, 2], "blocks": 1, "patch": 4}


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> ImageCache:
    faces = datasets.create("synthetic", n_train=24, n_val=1, n_test=1, size=32)
    return open_images(faces, "train", View(32), tmp_path_factory.mktemp("pretraining"), drop_grey=True)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_losses_of_pretraining_are_those_measured_before(objective: str, images: ImageCache, tmp_path: Path) -> None:
    losses: list[float] = []
    recipe = Recipe(ENCODER, OBJECTIVES[objective], steps=20, batch_size=8, lr=2e-3)
    pretrain(recipe, images, tmp_path, on_step=lambda info: losses.append(info.loss))
    GOLDEN.check(objective, losses)


def test_the_table_holds_no_case_that_is_not_tested() -> None:
    assert GOLDEN.cases() == set(OBJECTIVES)
