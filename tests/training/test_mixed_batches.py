"""The order in which images of a mixture are seen, and squares of images."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from support.models import tiny_model
from zoo.color.grey import stored_lightness
from zoo.errors import ZooError
from zoo.faces.framing import WHOLE, Box, resample
from zoo.registry import datasets
from zoo.training.batches import Batches
from zoo.training.config import TrainConfig
from zoo.training.crops import Crop
from zoo.training.diffusion import open_batches
from zoo.training.order import Shuffled, parts_of

KEYS = [f"faces/{i}" for i in range(5)] + [f"scenes/{i}" for i in range(40)]


class Named:
    """As much of an image cache as an order asks for."""

    size, manifest = 16, "none"

    def __len__(self) -> int:
        return len(KEYS)


def drawn(weights: dict[str, float], batch_size: int, steps: int, seed: int = 0) -> list[np.ndarray]:
    order = Shuffled(Named(), batch_size, seed, parts_of(KEYS, weights))  # type: ignore[arg-type]
    return [order._indices(step) for step in range(steps)]


@given(st.floats(0.2, 5), st.integers(1, 24), st.integers(0, 3))
def test_each_batch_has_of_each_part_its_share_give_or_take_one(weight: float, batch_size: int, seed: int) -> None:
    share = batch_size * weight / (weight + 1)
    counts = [int((batch < 5).sum()) for batch in drawn({"faces": weight, "scenes": 1}, batch_size, 40, seed)]
    assert all(abs(count - share) < 1 + 1e-6 for count in counts)
    assert np.mean(counts) == pytest.approx(share, abs=0.35)
    assert all(len(batch) == batch_size for batch in drawn({"faces": weight, "scenes": 1}, batch_size, 5, seed))


def test_every_image_of_a_part_is_seen_about_as_often_as_the_others_of_it() -> None:
    seen = Counter(int(i) for batch in drawn({"faces": 1, "scenes": 1}, 8, 200) for i in batch)
    faces, scenes = [seen[i] for i in range(5)], [seen[i] for i in range(5, 45)]
    assert min(faces) > 0.9 * max(faces) > 100
    assert min(scenes) > 0.7 * max(scenes) > 10


def test_a_mixture_depends_on_seed_and_step_alone() -> None:
    order = Shuffled(Named(), 8, 0, parts_of(KEYS, {"faces": 1, "scenes": 2}))  # type: ignore[arg-type]
    later = order._indices(7)
    assert np.array_equal(drawn({"faces": 1, "scenes": 2}, 8, 8)[7], later)
    assert not np.array_equal(drawn({"faces": 1, "scenes": 2}, 8, 8, seed=1)[7], later)


def test_a_part_without_training_images_is_named() -> None:
    with pytest.raises(ZooError, match="none of the training images is of the part 'dogs'"):
        parts_of(KEYS, {"faces": 1, "dogs": 1})


def test_squares_have_every_scale_and_place_and_stay_inside() -> None:
    boxes = Crop((0.5, 0.9), 16).boxes(2000, torch.Generator().manual_seed(0))
    sides, lefts, tops = (
        np.array(values) for values in ([b.side for b in boxes], [b.x0 for b in boxes], [b.y0 for b in boxes])
    )
    assert 0.5 <= sides.min() < 0.51
    assert 0.89 < sides.max() <= 0.9
    for starts in (lefts, tops):
        share = starts / (1 - sides)
        assert 0 <= share.min() < 0.01
        assert 0.99 < share.max() <= 1
        assert abs(np.corrcoef(share, sides)[0, 1]) < 0.1
    assert abs(np.corrcoef(lefts / (1 - sides), tops / (1 - sides))[0, 1]) < 0.1


@pytest.mark.parametrize("scales", [(0.0, 1.0), (0.9, 0.5), (0.5, 1.1)])
def test_squares_that_cannot_be_are_refused(scales: tuple[float, float]) -> None:
    with pytest.raises(ZooError, match="crop must be"):
        Crop(scales, 16)


def test_the_face_of_a_framed_encoder_is_where_it_lies_in_the_square() -> None:
    box, crop = Box(0.2, 0.3, 0.5), Box(0.1, 0.2, 0.6)
    views = np.zeros((1, 8, 8, 1), np.uint8)
    _, same, boxes = Crop((0.5, 1), 16).seen(np.zeros((1, 32, 32, 3), np.uint8), views, [box], [crop])
    assert same is views
    assert crop.of(boxes[0]) == pytest.approx(box)


def test_an_encoder_without_a_frame_sees_the_square() -> None:
    image = np.random.default_rng(0).integers(0, 255, (1, 32, 32, 3), np.uint8)
    crop = Box(0.25, 0.5, 0.5)
    squares, views, boxes = Crop((0.5, 1), 16, view_size=20).seen(image, None, [WHOLE], [crop])
    assert np.array_equal(squares[0], resample(image[0], crop, 16))
    assert views is not None
    assert np.array_equal(views[0], stored_lightness(resample(image[0], crop, 20)))
    assert boxes == [WHOLE]


def opened(tmp_path: Path, crop: tuple[float, float] | None, encoder: str = "none", cond: str = "none") -> Batches:
    dataset = datasets.create("synthetic", n_train=6, n_val=1, n_test=1, size=64)
    config = TrainConfig(steps=1, batch_size=6, flip=False)
    return open_batches(tiny_model(encoder, cond), dataset, config, seed=0, cache_dir=tmp_path, crop=crop)


def test_batches_show_squares_that_are_other_ones_at_each_step_and_the_same_after_a_resume(tmp_path: Path) -> None:
    batches = opened(tmp_path, (0.5, 0.8))
    assert batches.images.size == 32
    assert batches.at(0).images.shape == (6, 16, 16, 3)
    assert torch.equal(batches.at(1).images, opened(tmp_path, (0.5, 0.8)).at(1).images)  # the same images, in epoch 1
    assert not torch.equal(batches.at(0).images.sort(0).values, batches.at(1).images.sort(0).values)


def test_squares_change_no_other_draw(tmp_path: Path) -> None:
    whole, squares = opened(tmp_path, None).at(3), opened(tmp_path, (0.5, 0.8)).at(3)
    for name in ("t", "noise", "dropped", "saturation"):
        assert torch.equal(getattr(whole, name), getattr(squares, name))


def test_a_frozen_encoder_sees_each_square_anew(tmp_path: Path) -> None:
    batches = opened(tmp_path, (0.5, 0.8), "counting", "concat")
    assert batches.features is None
    assert opened(tmp_path, None, "counting", "concat").features is not None
