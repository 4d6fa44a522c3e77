"""sRGB ↔ CIE Lab (CIE 15) in the model's ranges.

L is L*/50 − 1 in [-1, 1]; ab is a*, b* / 110, about [-1, 1]. White point D65, as scikit-image and kornia.
"""

from __future__ import annotations

import numpy as np
import torch
from kornia.color import lab_to_rgb as _lab_to_rgb
from kornia.color import rgb_to_lab as _rgb_to_lab
from torch import Tensor

from zoo.color.srgb import Values

AB_SCALE = 110.0
_DELTA = 6 / 29  # of f: below it, linear


def rgb_to_lab(rgb: Tensor) -> tuple[Tensor, Tensor]:
    """sRGB (N, 3, H, W) in [0, 1] → L (N, 1, H, W) in [-1, 1] and ab (N, 2, H, W)."""
    lab = _rgb_to_lab(rgb)
    return lab[:, :1] / 50 - 1, lab[:, 1:] / AB_SCALE


def lab_to_rgb(L: Tensor, ab: Tensor) -> Tensor:
    """L (N, 1, H, W) and ab (N, 2, H, W) → sRGB (N, 3, H, W), clipped to [0, 1]."""
    return _lab_to_rgb(torch.cat([(L + 1) * 50, ab * AB_SCALE], dim=1), clip=True)


def uint8_to_lab(images: Tensor) -> tuple[Tensor, Tensor]:
    """Images at rest, (N, H, W, 3) uint8 sRGB → L (N, 1, H, W) and ab (N, 2, H, W)."""
    return rgb_to_lab(images.permute(0, 3, 1, 2).float() / 255)


def uint8_to_lightness(images: Tensor) -> Tensor:
    """The L (N, 1, H, W) of images at rest: (N, H, W, 1) uint8, L* as 255·L*/100, or (N, H, W, 3) uint8 sRGB."""
    if images.shape[3] == 3:
        return uint8_to_lab(images)[0]
    return images.permute(0, 3, 1, 2).float() / 127.5 - 1


def l_star(Y: np.ndarray) -> np.ndarray:
    """Luminance Y in [0, 1], of any shape → L* in [0, 100]."""
    return np.where(Y > _DELTA**3, 116 * np.cbrt(Y) - 16, Y * 24389 / 27)


def f_of_lightness(L: Tensor) -> Tensor:
    """L in [-1, 1], of any shape → f(Y) of CIE Lab, (L* + 16) / 116."""
    return (L.clamp(-1, 1) * 50 + 66) / 116


def f_inverse(f: Values) -> Values:
    """f(Y) of CIE Lab, of any shape → Y; and so X and Z over white's."""
    line = (f - 4 / 29) * (3 * _DELTA**2)
    if isinstance(f, Tensor):
        return torch.where(f > _DELTA, f * f * f, line)
    return np.where(f > _DELTA, f * f * f, line)
