"""The picture of a run: one row per photo; grey, colourings, truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from zoo.files import replacing

_GAP = 2  # pixels between images
_HEAD = 16  # pixels of the row of titles
_SHOWN = 96  # images smaller than this are enlarged by a whole factor


def grid(strips: np.ndarray) -> Image.Image:
    """One picture of ``strips`` (K, 2 + samples, H, W, 3) uint8: grey, samples, truth of K photos."""
    zoom = max(1, -(-_SHOWN // strips.shape[2]))
    strips = strips.repeat(zoom, axis=2).repeat(zoom, axis=3)
    rows, columns, height, width, _ = strips.shape
    canvas = Image.new("RGB", (columns * (width + _GAP) - _GAP, _HEAD + rows * (height + _GAP) - _GAP), "white")
    draw = ImageDraw.Draw(canvas)
    titles = ["grey", *(f"sample {i + 1}" for i in range(columns - 2)), "truth"]
    for column, title in enumerate(titles):
        draw.text((column * (width + _GAP) + 2, 2), title, fill="black")
        for row in range(rows):
            canvas.paste(Image.fromarray(strips[row, column]), (column * (width + _GAP), _HEAD + row * (height + _GAP)))
    return canvas


def save_grid(path: Path, strips: np.ndarray) -> None:
    """Write the picture of ``strips`` as PNG, atomically."""
    with replacing(path) as temporary:
        grid(strips).save(temporary, "PNG")
        temporary.chmod(0o644)
