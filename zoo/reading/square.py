"""Image file → square sRGB of 8 bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from zoo.reading.pixels import to_pixels
from zoo.reading.source import open_image

MAX_PIXELS = 89_000_000


def decode(path: Path) -> np.ndarray:
    """The centre square of an image file as (S, S, 3) uint8 sRGB: upright, its colour profile followed, what is
    transparent before white. Raises `BrokenImageError` as `open_image` does."""
    with open_image(path, MAX_PIXELS) as image:
        return to_pixels(image, square=True).over_white()
