"""The batches of a training: which images, in which order, with which features."""

from pathlib import Path

import numpy as np
import pytest
import torch

import zoo
from support.batching import TINY, batches_for
from support.models import TINY_DENOISER, tiny_model
from zoo import registry
from zoo.cache.images import encoder_view
from zoo.data import Dataset
from zoo.faces.framing import Box
from zoo.training.batches import inputs
from zoo.training.config import TrainConfig
from zoo.training.diffusion import open_batches


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return registry.datasets.create("synthetic", n_train=10, n_val=2, n_test=4, size=32)


def test_a_batch_depends_on_seed_and_step_alone(dataset: Dataset, cache: Path) -> None:
    model = tiny_model()
    first, again = (batches_for(model, dataset, cache) for _ in range(2))
    first.at(0)
    for a, b in zip(first.at(5), again.at(5), strict=True):
        assert a is b is None or torch.equal(a, b)  # type: ignore[arg-type]
    assert not torch.equal(first.at(5).noise, first.at(6).noise)


def test_every_image_comes_once_per_epoch(dataset: Dataset, cache: Path) -> None:
    batches = batches_for(tiny_model(), dataset, cache)
    n = len(batches.images)
    seen = np.concatenate([batches._indices(step) for step in range(n)])  # 4 epochs of n images in n batches of 4
    epochs = seen.reshape(4, n).tolist()
    assert [sorted(epoch) for epoch in epochs] == [list(range(n))] * 4
    assert len({*map(tuple, epochs)}) == 4  # each in an order of its own


@pytest.mark.parametrize("crop", [None, (0.5, 1.0)])
@pytest.mark.parametrize("world", [2, 4])
def test_the_shares_of_all_processes_make_up_the_batch(
    dataset: Dataset, cache: Path, world: int, crop: tuple[float, float] | None
) -> None:
    model = tiny_model("counting", denoiser=TINY_DENOISER | {"hints": True})
    batches = open_batches(model, dataset, TINY, seed=0, cache_dir=cache, crop=crop)
    whole, *shares = (
        batch._replace(features=batch.features and batch.features.maps[0])
        for batch in (batches.at(3), *(batches.at(3, rank, world) for rank in range(world)))
    )
    assert (whole.features is None) == (crop is not None)  # features of squares are not kept
    assert whole.hinted is not None
    for name, all_of_it in whole._asdict().items():
        parts = [getattr(share, name) for share in shares]
        assert parts == [None] * world if all_of_it is None else torch.equal(torch.cat(parts), all_of_it), name


def test_flipping_can_be_turned_off(dataset: Dataset, cache: Path) -> None:
    model = tiny_model()
    still = batches_for(model, dataset, cache, TrainConfig(steps=4, batch_size=10, flip=False))
    stored = still.images.batch(still._indices(0))
    assert torch.equal(still.at(0).images, torch.from_numpy(stored))
    flipping = batches_for(model, dataset, cache, TrainConfig(steps=4, batch_size=10)).at(0).images.numpy()
    mirrored = [np.array_equal(a, b[:, ::-1]) for a, b in zip(flipping, stored, strict=True)]
    same = [np.array_equal(a, b) for a, b in zip(flipping, stored, strict=True)]
    assert any(mirrored)
    assert all(m != s for m, s in zip(mirrored, same, strict=True))


def test_cached_features_are_those_of_the_batch_s_own_images(dataset: Dataset, cache: Path) -> None:
    model = tiny_model("counting")
    batch = inputs(batches_for(model, dataset, cache).at(1), "cpu")
    expected = model.encode(batch["L"])
    torch.testing.assert_close(batch["features"].maps[0], expected.maps[0], atol=6e-3, rtol=0)  # L from 8 bits; fp16


def test_an_encoder_sees_its_own_frame_of_the_face(dataset: Dataset) -> None:
    encoder = zoo.create_encoder("none")
    assert encoder_view(encoder, dataset, 16) is None
    encoder.frame = Box(0.1, 0.2, 0.5)
    view = encoder_view(encoder, dataset, 16)
    assert view is not None
    assert dataset.face_box is not None
    assert view.box == dataset.face_box.of(Box(0.1, 0.2, 0.5))
