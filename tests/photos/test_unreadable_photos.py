"""What is no photo, or too large a one, is an error of one line."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from support.pictures import RGB, saved
from zoo.errors import ZooError
from zoo.photos.photo import read_photo


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Image.new("1", (3000, 2000)))
    with pytest.raises(ZooError, match=r"3000 × 2000 pixels; at most 5,000,000 are read"):
        read_photo(path, max_pixels=5_000_000)


@pytest.mark.parametrize("side", [10_000, 20_000])  # where Pillow warns, and where it refuses
def test_an_enormous_header_is_one_clear_line(tmp_path: Path, side: int) -> None:
    header = b"P4\n%d %d\n" % (side, side)
    (tmp_path / "a.pbm").write_bytes(header)
    with pytest.raises(ZooError, match="at most 50,000,000"):
        read_photo(tmp_path / "a.pbm")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP", "JPEG2000"])
def test_a_truncated_file_is_an_error(tmp_path: Path, kind: str) -> None:
    whole = io.BytesIO()
    Image.fromarray(np.tile(RGB, (10, 10, 1))).save(whole, kind)
    (tmp_path / "half").write_bytes(whole.getvalue()[: len(whole.getvalue()) // 2])
    with pytest.raises(ZooError, match="half: truncated or damaged") as error:
        read_photo(tmp_path / "half")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty file"),
        (b"just text", "not an image of a known kind"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image of a known kind"),
    ],
)
def test_what_is_no_image_is_an_error(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(ZooError, match=message):
        read_photo(tmp_path / "a.jpg")


def test_a_missing_file_and_a_folder_are_errors(tmp_path: Path) -> None:
    with pytest.raises(ZooError, match="no such file"):
        read_photo(tmp_path / "a.jpg")
    with pytest.raises(ZooError, match="not a file"):
        read_photo(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_an_error(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Image.fromarray(RGB))
    path.chmod(0)
    with pytest.raises(ZooError, match="no permission"):
        read_photo(path)
