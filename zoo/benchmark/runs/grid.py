"""Pictures of results: one row per photo; of a run: grey, colourings, truth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from zoo.files import replacing
from zoo.photos.image_grid import image_grid


def grid(strips: np.ndarray, titles: Sequence[str] | None = None) -> Image.Image:
    """One picture of ``strips`` (K, columns, H, W, 3) uint8 of K photos; ``titles``: of the columns, by default grey,
    samples and truth."""
    rows, columns, *shape = strips.shape
    head = titles or ["grey", *(f"sample {i + 1}" for i in range(columns - 2)), "truth"]
    return image_grid(list(strips.reshape(-1, *shape)), [*head, *[""] * (rows - 1) * columns], columns)


def save_grid(path: Path, strips: np.ndarray, titles: Sequence[str] | None = None) -> None:
    """Write the picture of ``strips`` as PNG, atomically."""
    with replacing(path) as temporary:
        grid(strips, titles).save(temporary, "PNG")
