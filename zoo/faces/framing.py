"""Where a network looks: square boxes in fractions of an image, and resampling through them.

Three frames meet here. A dataset says where the ArcFace template's square lies in its images (``face_box``);
an encoder says what it wants to see relative to that square (``frame``); the denoiser sees the image.
``face_box.of(frame)`` is the encoder's view in the image, and ``uncrop`` brings its maps back onto the image,
so that a feature of the left eye meets the left eye's pixels.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor


class Box(NamedTuple):
    """A square: left and top edge and side, as fractions of the frame it lives in. May reach outside."""

    x0: float = 0.0
    y0: float = 0.0
    side: float = 1.0

    def of(self, inner: Box) -> Box:
        """``inner``, given in fractions of this box, in the frame of this box."""
        return Box(self.x0 + self.side * inner.x0, self.y0 + self.side * inner.y0, self.side * inner.side)

    def inverse(self) -> Box:
        """The whole frame, in fractions of this box."""
        return Box(-self.x0 / self.side, -self.y0 / self.side, 1 / self.side)

    def flipped(self) -> Box:
        """The same square after the frame was mirrored left to right."""
        return Box(1 - self.x0 - self.side, self.y0, self.side)


WHOLE = Box()


def resample(image: np.ndarray, box: Box, size: int) -> np.ndarray:
    """See ``image`` (S, S, 3) uint8 through ``box`` at ``size`` × ``size``; outside, its edge is repeated.

    The geometry of `crop`; the filter is a triangle as wide as the shrinking asks (no aliasing).
    """
    side = image.shape[0]
    x0, y0, extent = box.x0 * side, box.y0 * side, box.side * side
    pad = max(0, math.ceil(max(-x0, -y0, x0 + extent - side, y0 + extent - side)))
    if pad:
        image = np.pad(image, ((pad, pad), (pad, pad), (0, 0)), mode="edge")
    end = float(image.shape[0])  # rounding must not carry the box over it
    region = (x0 + pad, y0 + pad, min(x0 + pad + extent, end), min(y0 + pad + extent, end))
    return np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR, box=region))


def crop(x: Tensor, box: Box | Tensor, size: int) -> Tensor:
    """See ``x`` through ``box``, at ``size`` × ``size``; outside the image its edge is repeated.

    Bilinear, after an antialiased shrink by a whole factor where it shrinks by 2 or more; `WHOLE` itself, given
    as the one box, is antialiased at any factor.

    Args:
        x: (N, C, H, W) float.
        box: one box for all, or (N, 3) of x0, y0, side.
        size: side of the result in pixels.

    Returns:
        (N, C, size, size).
    """
    boxes = torch.as_tensor(box, dtype=x.dtype, device=x.device).reshape(-1, 3).expand(x.shape[0], 3)
    if isinstance(box, tuple) and Box(*box) == WHOLE:
        return F.interpolate(x, (size, size), mode="bilinear", align_corners=False, antialias=True)
    shrink = int(boxes[:, 2].min() * min(x.shape[-2:]) / size)
    if shrink >= 2:
        smaller = (x.shape[-2] // shrink, x.shape[-1] // shrink)
        x = F.interpolate(x, smaller, mode="bilinear", align_corners=False, antialias=True)
    centres = (torch.arange(size, device=x.device) + 0.5) / size  # (size,)
    at = boxes[:, :2, None] + boxes[:, 2:, None] * centres  # (N, 2, size): x and y in fractions of the input
    columns, rows = (2 * at - 1).to(x.dtype).unbind(dim=1)
    grid = torch.stack([columns[:, None].expand(-1, size, -1), rows[:, :, None].expand(-1, -1, size)], dim=-1)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)


def uncrop(maps: tuple[Tensor, ...], box: Box | Tensor) -> tuple[Tensor, ...]:
    """Bring maps computed on ``crop(image, box)`` back onto the image's own frame, each at its own size.

    Args:
        maps: each (N, C, h, w).
        box: the box that was cropped, or (N, 3).
    """
    if isinstance(box, tuple) and Box(*box) == WHOLE:
        return maps
    boxes = torch.as_tensor(box, dtype=torch.float32).reshape(-1, 3)
    inverse = torch.cat([-boxes[:, :2] / boxes[:, 2:], 1 / boxes[:, 2:]], dim=1)
    return tuple(crop(m, inverse.to(m), m.shape[-1]) for m in maps)
