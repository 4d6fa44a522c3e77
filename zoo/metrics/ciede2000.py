"""CIEDE2000 colour difference (Sharma, Wu & Dalal 2005)."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.color.lab import cie_lab
from zoo.metrics._per_image import PerImageMetric
from zoo.registry import metrics


@metrics.register("ciede2000")
class CIEDE2000(PerImageMetric):
    """Mean ΔE00 over the pixels of an image; about 1 is a just noticeable difference."""

    def names(self) -> dict[str, bool | None]:
        return {"ciede2000": False}

    def measure(self, pred: Tensor, truth: Tensor) -> dict[str, Tensor]:
        # double: the hue angle of nearly grey pixels is a quotient of small differences
        lab1, lab2 = cie_lab(pred.cpu().double()), cie_lab(truth.cpu().double())
        return {"ciede2000": delta_e_2000(lab1, lab2).mean(dim=(1, 2))}


def delta_e_2000(lab1: Tensor, lab2: Tensor) -> Tensor:
    """ΔE00 with kL = kC = kH = 1, symmetric; equations (2) to (22) of Sharma et al., with their names.

    Args:
        lab1, lab2: L* in 0..100, a* and b*, on dimension 1 of (N, 3, ...).

    Returns:
        (N, ...), ≥ 0.
    """
    L1, a1, b1 = lab1.unbind(dim=1)
    L2, a2, b2 = lab2.unbind(dim=1)
    G = 0.5 * (1 - _saturate((torch.hypot(a1, b1) + torch.hypot(a2, b2)) / 2))
    a1, a2 = (1 + G) * a1, (1 + G) * a2
    C1, C2 = torch.hypot(a1, b1), torch.hypot(a2, b2)
    h1, h2 = _degrees(b1, a1), _degrees(b2, a2)

    apart = h2 - h1
    dh = apart - 360 * (apart > 180) + 360 * (apart < -180)  # the shorter way round
    dH = 2 * (C1 * C2).sqrt() * _sin(dh / 2)
    hue = (h1 + h2) / 2 + 180 * (apart.abs() > 180)  # in the middle of it
    hue = torch.where(C1 * C2 == 0, h1 + h2, hue)
    L, C = (L1 + L2) / 2, (C1 + C2) / 2

    T = 1 - 0.17 * _cos(hue - 30) + 0.24 * _cos(2 * hue) + 0.32 * _cos(3 * hue + 6) - 0.20 * _cos(4 * hue - 63)
    S_L = 1 + 0.015 * (L - 50) ** 2 / (20 + (L - 50) ** 2).sqrt()
    S_C = 1 + 0.045 * C
    S_H = 1 + 0.015 * C * T
    R_T = -2 * _saturate(C) * _sin(60 * (-((((hue % 360) - 275) / 25) ** 2)).exp())
    l, c, h = (L2 - L1) / S_L, (C2 - C1) / S_C, dH / S_H
    return (l**2 + c**2 + h**2 + R_T * c * h).clamp(min=0).sqrt()


def _saturate(C: Tensor) -> Tensor:
    return (C**7 / (C**7 + 25.0**7)).sqrt()


def _degrees(y: Tensor, x: Tensor) -> Tensor:
    return torch.rad2deg(torch.atan2(y, x)) % 360


def _sin(degrees: Tensor) -> Tensor:
    return torch.deg2rad(degrees).sin()


def _cos(degrees: Tensor) -> Tensor:
    return torch.deg2rad(degrees).cos()
