"""sRGB ↔ CIE Lab in the model's ranges, and chroma at lower resolution.

L is L*/50 − 1 in [-1, 1]; ab is a*, b* / 110, about [-1, 1]. White point D65, as scikit-image and kornia.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from kornia.color import lab_to_rgb as _lab_to_rgb
from kornia.color import rgb_to_lab as _rgb_to_lab
from torch import Tensor

AB_SCALE = 110.0


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


def downsample_chroma(ab: Tensor, scale: int) -> Tensor:
    """Area average: (N, 2, H, W) → (N, 2, H/scale, W/scale)."""
    return ab if scale == 1 else F.avg_pool2d(ab, scale)


def upsample_chroma(ab: Tensor, L: Tensor, *, eps: float = 1e-2) -> Tensor:
    """Bring chroma to the size of L, with L as its guide, so that colour ends where lightness does.

    The fast guided filter (He & Sun 2015): in each 3×3 window of the low resolution ab is fitted as a linear
    function of L; the coefficients are enlarged and applied to the full L. What the fit missed is added back, so
    that the low-resolution chroma is kept. On 600 faces at 64 px and scale 4 the true chroma comes back with an
    ST-LPIPS of .004 (bilinear: .008) and a colourfulness of 42.3 (bilinear: 40.3, truth: 42.8).

    Args:
        ab: (N, 2, h, w).
        L: (N, 1, H, W), H and W multiples of h and w.
        eps: variance of L, in model units, below which a window counts as flat.
    """
    if ab.shape[-2:] == L.shape[-2:]:
        return ab
    slope, offset = _enlarge(_fitted(ab, L, eps), L).chunk(2, dim=1)
    fine = slope * L + offset  # (N, 2, H, W)
    return fine + _enlarge(ab - F.interpolate(fine, ab.shape[-2:], mode="area"), L)


def chroma_field(ab: Tensor, L: Tensor, *, eps: float = 1e-2) -> Tensor:
    """Chroma as a linear function of lightness at each place, so that it can be moved, mixed and enlarged before L
    at full resolution is known: `upsample_chroma` in two parts.

    Args:
        ab: (N, 2, h, w).
        L: (N, 1, H, W) of the same picture, of any size that is no smaller.
        eps: as for `upsample_chroma`.

    Returns:
        (N, 4, h, w): two slopes and two offsets; enlarged, slope·L + offset is ab.
    """
    fitted = _fitted(ab, L, eps)
    slope, offset = _enlarge(fitted, L).chunk(2, dim=1)
    missed = ab - F.interpolate(slope * L + offset, ab.shape[-2:], mode="area")
    return fitted + torch.cat([torch.zeros_like(missed), missed], dim=1)


def _fitted(ab: Tensor, L: Tensor, eps: float) -> Tensor:
    """Slopes and offsets (N, 4, h, w) of ab over L in windows of ab's resolution."""
    guide = F.interpolate(L, ab.shape[-2:], mode="area")
    mean_L, mean_ab = _window_mean(guide), _window_mean(ab)
    slope = (_window_mean(guide * ab) - mean_L * mean_ab) / (_window_mean(guide * guide) - mean_L**2 + eps)
    return torch.cat([slope, mean_ab - slope * mean_L], dim=1)


def _window_mean(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


def _enlarge(x: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(x, like.shape[-2:], mode="bicubic", align_corners=False)
