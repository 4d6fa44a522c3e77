"""Pictures of results: one row per photo; of a run: grey, colourings, truth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from zoo.files import replacing
from zoo.photos.image_grid import image_grid


def grid(sample_grid: np.ndarray, titles: Sequence[str] | None = None) -> Image.Image:
    """One picture of ``sample_grid`` (K, columns, H, W, 3) uint8 of K photos; ``titles``: of the columns, by default
    grey, samples and truth."""
    rows, columns, *shape = sample_grid.shape
    head = titles or ["grey", *(f"sample {i + 1}" for i in range(columns - 2)), "truth"]
    return image_grid(list(sample_grid.reshape(-1, *shape)), [*head, *[""] * (rows - 1) * columns], columns)


def save_grid(path: Path, sample_grid: np.ndarray, titles: Sequence[str] | None = None) -> None:
    """Write the picture of ``sample_grid`` as PNG, atomically."""
    with replacing(path) as temporary:
        grid(sample_grid, titles).save(temporary, "PNG")
