"""Photos damaged in every way that can be thought of: both readers end with a line of ours, or with a right result."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from support.damaged_photos import damaged_photo
from zoo.errors import ZooError
from zoo.photos.photo import Photo, read_photo, write_photo
from zoo.reading import square

MOST = 10**6  # pixels
SUFFIXES = (".png", ".jpg", ".webp", ".tif")


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(square, "MAX_PIXELS", MOST)


def read_damaged(folder: Path, seeds: range) -> None:
    read = 0
    for seed in seeds:
        name, content = damaged_photo(seed)
        path = folder / name
        path.write_bytes(content)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of profiles and EXIF data that are left out
            photo = colored(path, seed)
            trained = for_training(path, seed)
            if isinstance(photo, str):
                assert trained is None or "range is not known" in photo, seed  # only the middle is trained on
            else:
                assert trained is not None, seed
                read += 1
                written(photo, folder / f"result{SUFFIXES[seed % len(SUFFIXES)]}", seed)
        path.unlink()
    assert len(seeds) // 20 < read < len(seeds)


def colored(path: Path, seed: int) -> Photo | str:
    """As it is read to be coloured, or why it is not."""
    try:
        photo = read_photo(path, max_pixels=MOST)
    except ZooError as error:
        a_line(error, seed)
        assert str(error).startswith(str(path)), seed  # noqa: PT017
        return str(error)
    height, width, channels = photo.rgb.shape
    assert (photo.rgb.dtype, channels) == (np.uint8, 3), seed
    assert 0 < height * width <= MOST, seed
    for plane in (photo.lightness, photo.alpha):
        assert plane is None or plane.shape == (height, width), seed
    assert photo.L().isfinite().all(), seed
    return photo


def for_training(path: Path, seed: int) -> np.ndarray | None:
    """As a data set reads it."""
    try:
        pixels = square.decode(path)
    except ZooError as error:
        a_line(error, seed)
        return None
    assert pixels.dtype == np.uint8, seed
    assert pixels.shape == (len(pixels), len(pixels), 3), seed
    return pixels


def written(photo: Photo, path: Path, seed: int) -> None:
    """What the file knew about the picture goes with the colouring, or is left out."""
    if max(photo.rgb.shape) > 16_383:  # more than WebP holds, which says so
        path = path.with_suffix(".png")
    write_photo(path, photo.rgb, photo)
    assert read_photo(path).rgb.shape == photo.rgb.shape, seed


def a_line(error: ZooError, seed: int) -> None:
    assert "\n" not in str(error), seed
    assert len(str(error)) < 600, seed


def test_a_damaged_photo_is_one_line_or_read_alike_by_both_readers(tmp_path: Path) -> None:
    read_damaged(tmp_path, range(100))


@pytest.mark.long
def test_two_thousand_damaged_photos_are_one_line_or_read_alike_by_both_readers(tmp_path: Path) -> None:
    read_damaged(tmp_path, range(100, 2100))
