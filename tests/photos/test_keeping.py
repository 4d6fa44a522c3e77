"""Part of an earlier colouring is kept, the rest is new."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from support.scenes import ab_of, lightness_error, photo_of
from zoo.errors import ZooError
from zoo.photos.keeping import Kept
from zoo.photos.photo import Photo


def test_white_keeps_black_is_new_and_grey_is_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.photos.keeping._BAND", 200)  # several bands
    earlier = photo_of(30, 40)
    photo = Photo.from_array(earlier)
    new = np.full_like(earlier, 120)
    new[..., 0] = 160
    mask = np.zeros((30, 40), np.uint8)
    mask[:, :15], mask[:, 15:25] = 255, 128
    mixed = Kept(earlier, mask).over(new, photo)
    assert np.array_equal(mixed[:, :15], earlier[:, :15])
    assert np.abs(ab_of(mixed)[:, 25:] - ab_of(new)[:, 25:]).max() < 0.02
    assert np.abs(ab_of(mixed) - (ab_of(earlier) + ab_of(new)) / 2)[:, 15:25].max() < 0.02
    assert lightness_error(earlier, mixed) < 0.25


def store(path: Path, rgb: np.ndarray) -> Path:
    Image.fromarray(rgb).save(path)
    return path


def test_the_photos_own_colors_are_kept_or_those_of_another_file(tmp_path: Path) -> None:
    photo, other = store(tmp_path / "a.png", photo_of(20, 30)), store(tmp_path / "b.png", photo_of(20, 30, 1))
    mask = store(tmp_path / "mask.png", np.full((20, 30), 255, np.uint8))
    assert np.array_equal(Kept.read(photo, mask, None).rgb, photo_of(20, 30))
    assert np.array_equal(Kept.read(photo, mask, other).rgb, photo_of(20, 30, 1))
    assert (Kept.read(photo, mask, None).mask == 255).all()


@pytest.mark.parametrize(
    ("photo", "mask", "earlier", "said"),
    [
        ("grey", "mask", None, r"grey.png has no colours to keep; give --keep-from"),
        ("colour", "mask", "grey", r"grey.png has no colours to keep$"),
        ("colour", "small", None, r"small.png is 9 × 9 pixels, not 30 × 20"),
        ("colour", "mask", "large", r"large.png is 50 × 40 pixels, not 30 × 20"),
        ("colour", "none", None, r"none.png: no such file"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, photo: str, mask: str, earlier: str | None, said: str) -> None:
    store(tmp_path / "grey.png", np.full((20, 30), 99, np.uint8))
    store(tmp_path / "mask.png", np.full((20, 30), 255, np.uint8))
    store(tmp_path / "small.png", np.full((9, 9), 255, np.uint8))
    store(tmp_path / "colour.png", photo_of(20, 30))
    store(tmp_path / "large.png", photo_of(40, 50))
    paths = [tmp_path / f"{name}.png" for name in (photo, mask)]
    with pytest.raises(ZooError, match=said):
        Kept.read(*paths, earlier and tmp_path / f"{earlier}.png")
