"""sRGB ↔ CIE Lab (CIE 15) in the model's ranges.

L is L*/50 − 1 in [-1, 1]; ab is a*, b* / 110, about [-1, 1]. White point D65.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from zoo.color.srgb import D65, FROM_XYZ, TO_XYZ, Values, from_linear, through, to_linear

AB_SCALE = 110.0
_DELTA = 6 / 29  # of f: below it, linear


def rgb_to_lab(rgb: Tensor) -> tuple[Tensor, Tensor]:
    """sRGB (N, 3, H, W) in [0, 1] → L (N, 1, H, W) in [-1, 1] and ab (N, 2, H, W)."""
    lab = cie_lab(rgb)
    return lab[:, :1] / 50 - 1, lab[:, 1:] / AB_SCALE


def lab_to_rgb(L: Tensor, ab: Tensor) -> Tensor:
    """L (N, 1, H, W) and ab (N, 2, H, W) → sRGB (N, 3, H, W), clipped to [0, 1]; no Z is below that of f = 0, as in
    scikit-image."""
    fy = (L * 50 + 66) / 116
    f = (fy + ab[:, :1] * (AB_SCALE / 500), fy, (fy - ab[:, 1:] * (AB_SCALE / 200)).clamp_min(0))
    xyz = (white * f_inverse(t) for white, t in zip(D65, f, strict=True))
    return from_linear(torch.cat(through(FROM_XYZ, xyz), dim=1)).clamp(0, 1)


def cie_lab(rgb: Tensor) -> Tensor:
    """sRGB (N, 3, …) in [0, 1] → L* in [0, 100], a*, b* (N, 3, …)."""
    xyz = through(TO_XYZ, to_linear(rgb).unbind(dim=1))
    fx, fy, fz = (f_of_luminance(value / white) for value, white in zip(xyz, D65, strict=True))
    return torch.stack([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)], dim=1)


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
    return 116 * f_of_luminance(Y) - 16


def f_of_lightness(L: Tensor) -> Tensor:
    """L in [-1, 1], of any shape → f(Y) of CIE Lab, (L* + 16) / 116."""
    return (L.clamp(-1, 1) * 50 + 66) / 116


def f_of_luminance(Y: Values) -> Values:
    """Y, or X and Z over white's, of any shape → f of CIE Lab."""
    line = Y * (1 / (3 * _DELTA**2)) + 4 / 29
    if isinstance(Y, Tensor):
        return torch.where(Y > _DELTA**3, Y.clamp_min(_DELTA**3) ** (1 / 3), line)
    return np.where(Y > _DELTA**3, np.cbrt(Y), line)


def f_inverse(f: Values) -> Values:
    """f(Y) of CIE Lab, of any shape → Y; and so X and Z over white's."""
    line = (f - 4 / 29) * (3 * _DELTA**2)
    if isinstance(f, Tensor):
        return torch.where(f > _DELTA, f * f * f, line)
    return np.where(f > _DELTA, f * f * f, line)
