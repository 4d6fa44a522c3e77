"""The chroma of a whole photo out of several colourings: one of all of it, and one of each face.

All are put together as fields of slopes and offsets of ab over L (`zoo.color.upsample.chroma_field`) at a bounded
resolution; only at the end, band by band, do they meet the photo's full lightness. So memory does not grow with the
number of faces or samples, and chroma ends where lightness does.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from zoo.color.gamut import to_uint8
from zoo.color.lab import AB_SCALE
from zoo.color.upsample import chroma_field
from zoo.faces.viewport import Viewport, look
from zoo.photos.photo import Photo

_FEATHER = 0.25  # of the radius of the ellipse in a face's square: how far in from its edge its colours have faded in
_BAND = 1 << 19  # pixels that are painted at once


def compose(L: Tensor, whole: Tensor, faces: list[tuple[Viewport, Tensor]]) -> Tensor:
    """The field of chroma over lightness of a photo.

    A face's colours fade out towards the edge of the ellipse in its square, so that no corner shows; where several meet
    they are averaged by those weights.

    Args:
        L: (1, 1, H, W), of the photo, at the resolution at which things are put together.
        whole: (1, 2, h, w) ab, of all of it, of any size.
        faces: of each its square, in pixels of ``L``, and its ab (1, 2, s, s).

    Returns:
        (1, 4, H, W): two slopes and two offsets; slope·L + offset is ab.
    """
    field = _enlarged(_field(whole, L), (L.shape[-2], L.shape[-1]))
    if not faces:
        return field
    mixed, total = torch.zeros_like(field), torch.zeros_like(L)
    for viewport, ab in faces:
        rows, columns = viewport.bounds(L.shape[-2], L.shape[-1])
        place = _places(viewport, rows, columns)  # (1, h', w', 2)
        weight = _weight(place)
        colors = _field(ab, look(L, viewport, max(1, round(viewport.size))))
        moved = F.grid_sample(colors, place, mode="bicubic", padding_mode="border", align_corners=False)
        mixed[..., rows, columns] += weight * moved
        total[..., rows, columns] += weight
    return (mixed + (1 - total).clamp_min(0) * field) / total.clamp_min(1)


def paint(photo: Photo, field: Tensor) -> np.ndarray:
    """``photo`` with the chroma of ``field`` (1, 4, h, w), which covers it: (H, W, 3) uint8 sRGB, L as it was."""
    height, width = photo.rgb.shape[:2]
    painted = np.empty((height, width, 3), np.uint8)
    wide = _enlarged(field, (field.shape[-2], width), "bilinear")
    step = max(1, _BAND // width)
    for start in range(0, height, step):
        rows = slice(start, min(start + step, height))
        slope, offset = _rows(wide, rows, height).chunk(2, dim=1)
        L = photo.L(rows)
        painted[rows] = to_uint8(L, torch.addcmul(offset, slope, L))[0].numpy()
    return painted


def chroma(L: Tensor, field: Tensor) -> Tensor:
    """ab (1, 2, H, W) of a ``field`` (1, 4, H, W) over L (1, 1, H, W)."""
    slope, offset = field.chunk(2, dim=1)
    return slope * L + offset


class Spread:
    """Standard deviation of tensors that come one by one (Welford 1962)."""

    def __init__(self) -> None:
        self.count = 0
        self.mean, self.squares = torch.zeros(()), torch.zeros(())

    def add(self, ab: Tensor) -> None:
        self.count += 1
        step = ab - self.mean
        self.mean = self.mean + step / self.count
        self.squares = self.squares + step * (ab - self.mean)

    def map(self) -> np.ndarray:
        """(h, w) float32 in Lab units, of (1, 2, h, w)."""
        deviation = (self.squares / (self.count - 1)).sqrt() * AB_SCALE
        return deviation.mean(dim=1)[0].numpy()


def _field(ab: Tensor, L: Tensor) -> Tensor:
    """`chroma_field`, with chroma that has more pixels than L averaged down first."""
    size = tuple(min(a, b) for a, b in zip(ab.shape[-2:], L.shape[-2:]))
    return chroma_field(F.interpolate(ab, size, mode="area"), L)


def _places(viewport: Viewport, rows: slice, columns: slice) -> Tensor:
    """Where the pixels of a region are in ``viewport``: (1, h, w, 2) x, y; −1 to 1 is the inside."""
    y, x = (np.arange(part.start, part.stop) + 0.5 for part in (rows, columns))
    inside = 2 * (x + 1j * y[:, None] - viewport.origin) / viewport.edge - (1 + 1j)
    return torch.from_numpy(np.stack([inside.real, inside.imag], axis=-1)[None]).float()


def _weight(places: Tensor) -> Tensor:
    """(1, h, w, 2) → (1, 1, h, w): 0 outside the ellipse in the square, 1 in the middle, smooth between."""
    ramp = ((1 - places.norm(dim=-1)[:, None]) / _FEATHER).clamp(0, 1)
    return ramp * ramp * (3 - 2 * ramp)


def _enlarged(x: Tensor, size: tuple[int, int], mode: str = "bicubic") -> Tensor:
    return x if x.shape[-2:] == size else F.interpolate(x, size, mode=mode, align_corners=False)


def _rows(x: Tensor, rows: slice, height: int) -> Tensor:
    """Rows of ``x`` (1, C, h, W) as if it were enlarged to ``height`` rows, bilinearly: (1, C, rows, W)."""
    if x.shape[-2] == height:
        return x[..., rows, :]
    last = x.shape[-2] - 1
    at = ((torch.arange(rows.start, rows.stop) + 0.5) * (x.shape[-2] / height) - 0.5).clamp(0, last)
    above = at.floor().long()
    return torch.lerp(x[..., above, :], x[..., (above + 1).clamp_max(last), :], (at - above)[:, None])
