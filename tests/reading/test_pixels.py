"""Depth of greys; the other ways of pixels are in tests/photos and tests/data, for both readers."""

import struct
from pathlib import Path

import numpy as np
from PIL import Image

from zoo.photos.photo import read_photo
from zoo.reading.pixels import to_pixels
from zoo.reading.source import open_image

GREYS = np.linspace(0, 4095, 64 * 64).astype(np.uint16).reshape(64, 64)


def tiff12(path: Path, values: np.ndarray) -> Path:
    """A grey TIFF of 12 bits, two values in three bytes."""
    pairs = values.reshape(-1, 2).astype(int)
    packed = np.stack([pairs[:, 0] >> 4, (pairs[:, 0] & 15) << 4 | pairs[:, 1] >> 8, pairs[:, 1] & 255], axis=1)
    data = packed.astype(np.uint8).tobytes()
    height, width = values.shape
    fields = {256: width, 257: height, 258: 12, 259: 1, 262: 1, 273: 8, 277: 1, 278: height, 279: len(data)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in fields.items())
    directory = struct.pack("<H", len(fields)) + entries + bytes(4)
    path.write_bytes(b"II*\0" + struct.pack("<I", 8 + len(data)) + data + directory)
    return path


def test_12_bits_are_scaled_to_the_whole_range(tmp_path: Path) -> None:
    photo = read_photo(tiff12(tmp_path / "a.tif", GREYS))
    np.testing.assert_allclose(photo.rgb[..., 0], np.rint(GREYS / 4095 * 255), atol=1)


def test_only_the_middle_of_a_wide_picture_is_converted(tmp_path: Path) -> None:
    Image.fromarray(np.arange(30, dtype=np.uint8)[None].repeat(10, axis=0)).save(tmp_path / "a.png")
    with open_image(tmp_path / "a.png", 1000) as image:
        assert to_pixels(image, square=True).rgb[0, :, 0].tolist() == list(range(10, 20))
