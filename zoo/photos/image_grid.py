"""Pictures that show several pictures: a grid with titles, and an animation."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from zoo.color.gamut import to_uint8
from zoo.color.lab import uint8_to_lab
from zoo.photos.photo import store

_GAP = 2  # pixels between pictures
_HEAD = 16  # pixels of a row of titles
_SHOWN = 96  # pictures smaller than this are enlarged by a whole factor
_LARGEST = 1024  # pixels of the longer side of a picture in a grid,
_ROW = 4096  # and of all pictures in a row
_FRAME = 256  # pixels of the longer side of an animation that has no steps to show
_STEP_MS, _LAST_MS = 120, 2000  # how long an animation shows a step, and its end


def image_grid(pictures: Sequence[np.ndarray], titles: Sequence[str], columns: int) -> Image.Image:
    """``pictures``, all (H, W, 3) uint8, ``columns`` in a row, each below its title; a row without any has no head."""
    zoom = max(1, -(-_SHOWN // max(pictures[0].shape[:2])))
    cells = [picture.repeat(zoom, axis=0).repeat(zoom, axis=1) for picture in pictures]
    height, width, _ = cells[0].shape
    width = max(width, *(round(ImageFont.load_default().getlength(title)) + 4 for title in titles))
    rows = [range(start, min(start + columns, len(cells))) for start in range(0, len(cells), columns)]
    heads = [_HEAD if any(titles[i] for i in row) else 0 for row in rows]
    canvas = Image.new(
        "RGB", (columns * (width + _GAP) - _GAP, sum(heads) + len(rows) * (height + _GAP) - _GAP), "white"
    )
    draw = ImageDraw.Draw(canvas)
    y = 0
    for row, head in zip(rows, heads):
        for column, i in enumerate(row):
            draw.text((column * (width + _GAP) + 2, y + 2), titles[i], fill="black")
            canvas.paste(Image.fromarray(cells[i]), (column * (width + _GAP), y + head))
        y += head + height + _GAP
    return canvas


def reduced(rgb: np.ndarray, largest: int = _LARGEST) -> np.ndarray:
    """``rgb`` (H, W, 3) uint8 with its longer side at most ``largest`` pixels, averaged down if need be."""
    scale = largest / max(rgb.shape[:2])
    if scale >= 1:
        return rgb
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    return np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BOX))


def save_animation(path: Path, frames: Sequence[np.ndarray]) -> None:
    """Write ``frames``, each (h, w, 3) uint8, as a GIF that stays on the last one for a while, atomically.

    Raises as `zoo.photos.photo.write_photo` does.
    """
    first, *others = map(Image.fromarray, frames)
    durations = [_STEP_MS] * len(others) + [_LAST_MS]
    buffer = io.BytesIO()  # Pillow, writing to a file itself, does not say that the disk is full
    first.save(buffer, "GIF", save_all=True, append_images=others, duration=durations, loop=0)
    store(path, buffer.getbuffer())


def samples_grid(photo: np.ndarray, samples: Sequence[np.ndarray]) -> np.ndarray:
    """Grey and all colourings of ``photo``; all (H, W, 3) uint8, nearly as many rows as columns."""
    columns = math.ceil(math.sqrt(1 + len(samples)))
    largest = min(_LARGEST, _ROW // columns)
    pictures = [grey(reduced(photo, largest)), *(reduced(sample, largest) for sample in samples)]
    titles = ["grey", *(f"sample {i + 1}" for i in range(len(samples)))]
    return np.asarray(image_grid(pictures, titles, columns))


def comparison(photo: np.ndarray, color: np.ndarray, *, has_color: bool) -> np.ndarray:
    """Grey, colour and, if ``photo`` has colour, the truth, side by side; all (H, W, 3) uint8."""
    small = reduced(photo)
    pictures, titles = [grey(small), reduced(color)], ["grey", "colour"]
    if has_color:
        pictures, titles = [*pictures, small], [*titles, "truth"]
    return np.asarray(image_grid(pictures, titles, columns=len(pictures)))


def animation(photo: np.ndarray, steps: Sequence[np.ndarray], color: np.ndarray) -> list[np.ndarray]:
    """Grey, what each step showed, and the end: frames of one size, that of ``steps``."""
    height, width = (steps[0] if steps else reduced(photo, _FRAME)).shape[:2]

    def fitted(rgb: np.ndarray) -> np.ndarray:
        return np.asarray(Image.fromarray(rgb).resize((width, height), Image.Resampling.BOX))

    return [grey(fitted(photo)), *steps, fitted(color)]


def grey(rgb: np.ndarray) -> np.ndarray:
    """The grey of the same CIE L* at each pixel of (H, W, 3) uint8."""
    L, ab = uint8_to_lab(torch.from_numpy(rgb.copy())[None])
    return to_uint8(L, torch.zeros_like(ab))[0].numpy()
