"""What was spent once, before a first step, is told by every run that shares it, and to the same figure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.models import TINY_DENOISER
from zoo.data import Dataset
from zoo.model import ColorDiffusion
from zoo.registry import datasets
from zoo.training.batches import Costs
from zoo.training.config import TrainConfig
from zoo.training.diffusion import open_batches
from zoo.training.pretrain import COST

NET = {"width": 16, "mults": [1, 1], "blocks": 1, "patch": 4}
AUTOENCODER = {"name": "unet_ae", **NET, "mask_size": 4, "pretrain_steps": 2, "pretrain_batch_size": 4}
TINY = TrainConfig(steps=4, batch_size=4)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return datasets.create("synthetic", n_train=10, n_val=1, n_test=1, size=32)


def costs(
    dataset: Dataset, cache: Path, encoder: dict[str, Any], *, seed: int = 0, config: TrainConfig = TINY, **given: Any
) -> Costs:
    options = {"cond": {"name": "concat"}, "denoiser": TINY_DENOISER, "image_size": 16, "seed": seed, **given}
    return open_batches(ColorDiffusion(encoder=encoder, **options), dataset, config, seed=seed, cache_dir=cache).costs


def test_the_pass_for_features_costs_what_it_did_for_whoever_uses_them(dataset: Dataset, tmp_path: Path) -> None:
    first = costs(dataset, tmp_path, {"name": "hog"})
    assert first.features > 0
    assert costs(dataset, tmp_path, {"name": "hog"}, seed=1, cond={"name": "film"}) == first
    assert len([*tmp_path.glob("*.features")]) == 1
    assert costs(dataset, tmp_path, {"name": "hog"}, config=TrainConfig(flip=False)) != first  # another cache


@pytest.mark.parametrize(
    ("encoder", "config"),
    [({"name": "unet", **NET}, TINY), ({"name": "hog"}, TrainConfig(feature_cache_gb=0))],
    ids=["an encoder that learns", "no cache"],
)
def test_features_that_are_computed_in_every_step_cost_nothing_before(
    dataset: Dataset, tmp_path: Path, encoder: dict[str, Any], config: TrainConfig
) -> None:
    assert costs(dataset, tmp_path, encoder, config=config) == Costs(features=0, pretraining=0)


def test_pretraining_costs_what_it_did_for_whoever_uses_it(dataset: Dataset, tmp_path: Path) -> None:
    first = costs(dataset, tmp_path, AUTOENCODER)
    assert first.pretraining is not None
    assert first.pretraining > 0
    assert costs(dataset, tmp_path, AUTOENCODER, seed=1) == first
    for written in tmp_path.rglob(COST):
        written.unlink()
    assert costs(dataset, tmp_path, AUTOENCODER) == Costs(features=0, pretraining=None)
