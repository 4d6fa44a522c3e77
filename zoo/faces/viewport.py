"""Squares in a photo, which may be turned, and what is seen through them.

Points are complex numbers x + iy, in pixels: 0 is the photo's upper left corner, 0.5 + 0.5i the middle of its first
pixel. A similarity (turn, scale, shift) is then one product and one sum.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from zoo.color.lab import uint8_to_lab
from zoo.faces.framing import Box

_BAND = 1 << 22  # pixels that Pillow copies at once


class Viewport(NamedTuple):
    """A square: where its upper left corner is, and its upper edge as a vector. It may reach outside the photo."""

    origin: complex
    edge: complex

    @property
    def size(self) -> float:
        """Its side in pixels."""
        return abs(self.edge)

    @property
    def corners(self) -> np.ndarray:
        """(4,) complex: upper left, upper right, lower right, lower left."""
        return self.origin + self.edge * np.array([0, 1, 1 + 1j, 1j])

    def of(self, box: Box) -> Viewport:
        """``box``, given in fractions of this square."""
        return Viewport(self.origin + self.edge * complex(box.x0, box.y0), self.edge * box.side)

    def scaled(self, factor: float) -> Viewport:
        """The same square after the photo was resized by ``factor``."""
        return Viewport(self.origin * factor, self.edge * factor)

    def bounds(self, height: int, width: int, margin: int = 0) -> tuple[slice, slice]:
        """Rows and columns of a photo that hold the square and ``margin`` pixels around it, as far as there are any."""
        corners = self.corners
        return _clipped(corners.imag, height, margin), _clipped(corners.real, width, margin)


def fit_viewport(points: np.ndarray, template: np.ndarray) -> Viewport:
    """The square in which ``template`` (K, 2), in fractions of it, comes closest to ``points`` (K, 2) in pixels.

    Least squares over turn, scale and shift, without mirroring (Umeyama 1991; in two dimensions one complex quotient).
    """
    p, q = (np.asarray(x, np.float64) @ (1, 1j) for x in (points, template))
    centred = q - q.mean()
    edge = complex((centred.conj() * (p - p.mean())).sum() / (np.abs(centred) ** 2).sum())
    return Viewport(complex(p.mean() - edge * q.mean()), edge)


def see(rgb: np.ndarray, viewport: Viewport, size: int) -> Tensor:
    """The lightness of ``rgb`` (H, W, 3) uint8 sRGB through ``viewport``: (1, 1, size, size) in [-1, 1].

    Bilinear, after an area average by a whole factor where it shrinks by 2 or more; outside, the edge is repeated.
    """
    factor = max(1, int(viewport.size / size))
    rows, columns = viewport.bounds(rgb.shape[0], rgb.shape[1], margin=2 * factor)
    part = shrunk(rgb[rows, columns], factor)
    corner = complex(columns.start, rows.start)
    return look(lightness(part), Viewport(viewport.origin - corner, viewport.edge).scaled(1 / factor), size)


def look(x: Tensor, viewport: Viewport, size: int) -> Tensor:
    """``x`` (1, C, h, w) through ``viewport``: (1, C, size, size). Bilinear; outside, the edge is repeated."""
    height, width = x.shape[-2:]
    steps = (np.arange(size) + 0.5) / size
    points = viewport.origin + viewport.edge * (steps + 1j * steps[:, None])  # (size, size)
    grid = np.stack([2 * points.real / width - 1, 2 * points.imag / height - 1], axis=-1)[None]
    return F.grid_sample(x, torch.from_numpy(grid).to(x), padding_mode="border", align_corners=False)


def lightness(rgb: np.ndarray) -> Tensor:
    """(H, W, 3) uint8 sRGB → L (1, 1, H, W) in [-1, 1]."""
    return uint8_to_lab(torch.from_numpy(np.array(rgb))[None])[0]


def shrunk(rgb: np.ndarray, factor: int) -> np.ndarray:
    """Area average of (H, W, 3) uint8 over blocks of ``factor`` pixels a side: (⌈H/factor⌉, ⌈W/factor⌉, 3)."""
    if factor == 1:
        return rgb
    step = max(1, _BAND // (factor * rgb.shape[1])) * factor
    bands = (np.ascontiguousarray(rgb[y : y + step]) for y in range(0, len(rgb), step))
    return np.concatenate([np.asarray(Image.fromarray(band).reduce(factor)) for band in bands])


def resized(rgb: np.ndarray, height: int, width: int) -> np.ndarray:
    """(H, W, 3) uint8 at another size, antialiased; the triangle filter that training images go through."""
    factor = max(1, min(rgb.shape[0] // (2 * height), rgb.shape[1] // (2 * width)))
    extent = (0, 0, rgb.shape[1] / factor, rgb.shape[0] / factor)
    image = Image.fromarray(np.ascontiguousarray(shrunk(rgb, factor)))
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR, box=extent))


def _clipped(coordinates: np.ndarray, length: int, margin: int) -> slice:
    start = min(max(0, math.floor(coordinates.min()) - margin), length - 1)
    return slice(start, min(max(start + 1, math.ceil(coordinates.max()) + margin), length))
