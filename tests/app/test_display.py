"""Pictures as the page shows them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from zoo.app.display import LONG_SIDE, grey, shown
from zoo.app.examples import write_examples
from zoo.app.uncertainty import heat_map, legend
from zoo.color.lab import uint8_to_lab


def test_what_is_shown_of_a_photo_is_bounded_and_small_faces_are_enlarged() -> None:
    assert shown(np.zeros((300, 5000, 3), np.uint8)).shape == (61, LONG_SIDE, 3)
    assert shown(np.zeros((64, 64, 3), np.uint8)).shape == (384, 384, 3)
    assert shown(np.zeros((1, 3000, 3), np.uint8)).shape == (1, LONG_SIDE, 3)


def test_the_picture_before_is_neutral_and_as_light_as_the_photo() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    neutral = grey(photo)
    before, after = (uint8_to_lab(torch.from_numpy(picture)[None])[0] for picture in (photo, neutral))
    assert (neutral == neutral[..., :1]).all()
    assert float((before - after).abs().max()) * 50 < 0.3  # L*, by rounding


def test_examples_are_grey_and_the_first_is_the_portrait(tmp_path: Path) -> None:
    paths = write_examples(tmp_path)
    assert [path.stem for path in paths[:2]] == ["astronaut", "portrait"]
    for path in paths:
        pixels = np.asarray(Image.open(path))
        assert (pixels == pixels[..., :1]).all()


def test_disagreement_is_brighter_where_it_is_larger() -> None:
    spread = np.linspace(0, 20, 400, dtype=np.float32).reshape(20, 20)
    picture, top = heat_map(spread)
    lightness = picture.reshape(-1, 3).sum(1).astype(int)
    assert (np.diff(lightness) >= -3).all()  # viridis, to within rounding
    assert f"{top:.1f}" in legend(top)


def test_disagreement_that_no_eye_sees_stays_dark() -> None:
    noise, none, some = (heat_map(np.full((8, 8), spread, np.float32))[0].astype(int) for spread in (0.05, 0, 5))
    assert abs(noise - none).max() < 10
    assert abs(some - none).max() > 100
