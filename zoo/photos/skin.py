"""Where a coloured photo shows skin: so that skin outside a face fits the face's, and no saturation burns it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from zoo.color.lab import AB_SCALE
from zoo.faces.viewport import Viewport

_CENTRE, _ACROSS, _DOWN = 0.5 + 0.62j, 0.40, 0.50  # of a face's ellipse, in the square of the ArcFace template
_HUE = (10.0, 85.0)  # degrees, of skin
_CHROMA = (5.0, 60.0)  # Lab units
_ALIKE = 6.0  # Lab units from a face's skin at which a place is skin to e^-½
_REACH = 6.0  # radii of a face's ellipse from its middle at which a place is of its body to e^-½
_VIVID = 26.0  # chroma, in Lab units, to which saturation may raise skin


@dataclass(frozen=True)
class Skin:
    """What is skin in a photo.

    Attributes:
        face: (1, 1, H, W) in [0, 1], 1 inside faces.
        body: the same of what around them has the colour of their skin; 0 inside.
        tone: (1, 2, H, W) ab of the skin of the faces that are near.
        chroma: mean over faces of their skin's, in Lab units.
    """

    face: Tensor
    body: Tensor
    tone: Tensor
    chroma: float

    def fitted(self, field: Tensor) -> Tensor:
        """``field`` (1, 4, H, W) of slopes and offsets of ab over L; what outside faces is skin has their tone."""
        tone = torch.cat([torch.zeros_like(self.tone), self.tone], dim=1)
        return torch.lerp(field, tone, self.body)

    def saturation(self, factor: float) -> Tensor | float:
        """A factor (1, 1, H, W) on the chroma: ``factor``, but on skin no more than a vivid skin can take."""
        bounded = min(factor, max(1.0, _VIVID / self.chroma))
        return factor + (bounded - factor) * torch.maximum(self.face, self.body)


def find_skin(ab: Tensor, faces: Sequence[Viewport]) -> Skin | None:
    """The skin of people whose faces are known; None where no face has a colour that skin has.

    Args:
        ab: (1, 2, H, W) of the coloured photo.
        faces: the ArcFace template's square of each, in pixels of ``ab``.
    """
    face, body, near = (torch.zeros_like(ab[:, :1]) for _ in range(3))
    tones, chromas = torch.zeros_like(ab), []
    for square in faces:
        radius = _radius(square, ab.shape[-2], ab.shape[-1])
        tone = _tone(ab, radius)
        if tone is None:
            continue
        chromas.append(float(tone.norm()) * AB_SCALE)
        likeness = torch.exp(-((ab - tone).norm(dim=1, keepdim=True) * (AB_SCALE / _ALIKE)).square() / 2)
        nearness = torch.exp(-(radius / _REACH).square() / 2)
        face = torch.maximum(face, _smooth((1.3 - radius) / 0.6))
        body = torch.maximum(body, likeness * nearness)
        tones += nearness * tone
        near += nearness
    if not chromas:
        return None
    return Skin(face, body * (1 - face), tones / near.clamp_min(1e-6), float(np.mean(chromas)))


def _radius(square: Viewport, height: int, width: int) -> Tensor:
    """(1, 1, H, W): how far each pixel is from the middle of a face, 1 on its ellipse."""
    y, x = np.mgrid[:height, :width] + 0.5
    place = (x + 1j * y - square.origin) / square.edge - _CENTRE
    return torch.from_numpy(np.hypot(place.real / _ACROSS, place.imag / _DOWN)[None, None]).float()


def _tone(ab: Tensor, radius: Tensor) -> Tensor | None:
    """(1, 2, 1, 1): the median ab inside a face, if skin may have it."""
    inside = ab[0][:, radius[0, 0] < 1]  # (2, N)
    if not inside.shape[1]:
        return None
    a, b = (inside.median(dim=1).values * AB_SCALE).tolist()
    plausible = _HUE[0] <= np.degrees(np.arctan2(b, a)) <= _HUE[1] and _CHROMA[0] <= np.hypot(a, b) <= _CHROMA[1]
    return torch.tensor([a, b]).view(1, 2, 1, 1) / AB_SCALE if plausible else None


def _smooth(x: Tensor) -> Tensor:
    x = x.clamp(0, 1)
    return x * x * (3 - 2 * x)
