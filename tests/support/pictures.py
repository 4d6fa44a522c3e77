"""Pictures to try things on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

RGB = np.random.default_rng(0).integers(0, 256, (12, 20, 3), dtype=np.uint8)


def picture(number: int, size: int) -> Image.Image:
    """One of as many as there are numbers, at any size, with as much to see at every scale as photos have."""
    rng = np.random.default_rng(number)
    total = np.full((size, size, 3), 128.0)
    for cells in (2, 4, 8, 16, 32):
        noise = Image.fromarray(rng.integers(0, 256, (cells, cells, 3), np.uint8))
        total += (np.asarray(noise.resize((size, size), Image.Resampling.BICUBIC), float) - 128) / cells**0.5
    return Image.fromarray(np.clip(total, 0, 255).astype(np.uint8))


def saved(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)
    return path
