"""The picture of a run: one row per photo; grey, colourings, truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from zoo.files import replacing
from zoo.sheet import sheet


def grid(strips: np.ndarray) -> Image.Image:
    """One picture of ``strips`` (K, 2 + samples, H, W, 3) uint8: grey, samples, truth of K photos."""
    rows, columns, *shape = strips.shape
    titles = ["grey", *(f"sample {i + 1}" for i in range(columns - 2)), "truth"]
    return sheet(list(strips.reshape(-1, *shape)), titles + [""] * (rows - 1) * columns, columns)


def save_grid(path: Path, strips: np.ndarray) -> None:
    """Write the picture of ``strips`` as PNG, atomically."""
    with replacing(path) as temporary:
        grid(strips).save(temporary, "PNG")
        temporary.chmod(0o644)
