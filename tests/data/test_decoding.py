"""Files are decoded to squares of sRGB, and those that cannot be say why."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from support.files_of_data import RED
from zoo.data import BrokenImageError
from zoo.photos.photo import read_photo
from zoo.reading.square import decode


def test_the_centre_square_is_kept(tmp_path: Path) -> None:
    picture = np.zeros((10, 30, 3), np.uint8)
    picture[:, 10:20] = RED
    Image.fromarray(picture).save(tmp_path / "wide.png")
    np.testing.assert_array_equal(decode(tmp_path / "wide.png"), np.full((10, 10, 3), RED))


def test_the_orientation_that_a_camera_notes_is_applied(tmp_path: Path) -> None:
    picture = np.zeros((8, 8, 3), np.uint8)
    picture[0] = 255  # white on top
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    Image.fromarray(picture).save(tmp_path / "turned.png", exif=exif)
    assert decode(tmp_path / "turned.png")[-1].min() == 255


@pytest.mark.parametrize(
    ("mode", "name", "tolerance"),
    [("P", "p.png", 0), ("CMYK", "c.jpg", 12), ("RGBA", "a.png", 0), ("YCbCr", "y.jpg", 4), ("RGB", "w.webp", 8)],
)
def test_every_kind_of_color_image_decodes_to_srgb(tmp_path: Path, mode: str, name: str, tolerance: int) -> None:
    image = Image.new("RGB", (16, 16), RED)
    (image.quantize(2) if mode == "P" else image.convert(mode)).save(tmp_path / name)
    decoded = decode(tmp_path / name)
    assert (decoded.shape, decoded.dtype) == ((16, 16, 3), np.uint8)
    assert np.abs(decoded.astype(int) - RED).max() <= tolerance


def test_what_is_transparent_is_seen_over_white(tmp_path: Path) -> None:
    Image.new("RGBA", (4, 4), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    Image.new("LA", (4, 4), (0, 128)).save(tmp_path / "half.png")
    assert decode(tmp_path / "clear.png").min() == 255
    assert set(decode(tmp_path / "half.png").flat) <= {126, 127, 128}
    palette = Image.new("P", (4, 4), 1)
    palette.putpalette([0, 0, 0, 9, 9, 9])
    palette.save(tmp_path / "palette.png", transparency=1)
    assert decode(tmp_path / "palette.png").min() == 255


def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path: Path) -> None:
    Image.fromarray(np.full((4, 4), 32896, np.uint16)).save(tmp_path / "16.png")
    assert set(decode(tmp_path / "16.png").flat) == {128}


def test_a_color_profile_is_followed_as_in_coloring(tmp_path: Path) -> None:
    """The profile is sRGB's with red and green in each other's place."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = profile.replace(b"rXYZ", b"tXYZ").replace(b"gXYZ", b"rXYZ").replace(b"tXYZ", b"gXYZ")
    Image.new("RGB", (8, 8), RED).save(tmp_path / "a.png", icc_profile=swapped)
    decoded = decode(tmp_path / "a.png")
    np.testing.assert_allclose(decoded[0, 0].astype(int), (RED[1], RED[0], RED[2]), atol=3)
    np.testing.assert_array_equal(decoded, read_photo(tmp_path / "a.png").rgb)


def huge_png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 10_000, 10_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def torn_jpeg(tmp_path: Path) -> bytes:
    Image.effect_noise((64, 64), 50).save(tmp_path / "whole.jpg")
    return (tmp_path / "whole.jpg").read_bytes()[:900]


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path) -> None:
    cases = {
        "empty.jpg": (b"", "empty file"),
        "text.png": (b"hello", "not an image"),
        "torn.jpg": (torn_jpeg(tmp_path), "truncated"),
        "bomb.png": (huge_png(), "at most"),
    }
    for name, (content, reason) in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BrokenImageError, match=reason):
            decode(tmp_path / name)
    with pytest.raises(BrokenImageError, match="no such file"):
        decode(tmp_path / "gone.jpg")
