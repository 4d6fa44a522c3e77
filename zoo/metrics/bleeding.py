"""Does colour spill over where there is no edge? Chroma gradients at places where lightness is flat."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.color.lab import cie_lab
from zoo.metrics._per_image import PerImageMetric
from zoo.registry import metrics

FLAT = 2.0  # L* per pixel: a gradient of lightness above this counts as an edge, where chroma may change too


@metrics.register("bleeding")
class Bleeding(PerImageMetric):
    """Mean gradient of (a*, b*) per pixel, weighted by how flat L* is there, in Lab units per pixel.

    A colour that ends in the middle of a cheek has a chroma edge without one of lightness. Real photos have some too
    (freckles, lips), so the truth's own value is given beside it and the difference is what counts: above the truth
    colour bleeds or is blotchy, below it is washed out.

    * ``bleeding``, ``bleeding_truth``: of colourings and truths.
    * ``bleeding_abs_diff``: mean over images of \\|colouring − truth\\|.
    """

    def names(self) -> dict[str, bool | None]:
        return {"bleeding": None, "bleeding_truth": None, "bleeding_abs_diff": False}

    def measure(self, pred: Tensor, truth: Tensor) -> dict[str, Tensor]:
        found, real = bleeding(pred), bleeding(truth)
        return {"bleeding": found, "bleeding_truth": real, "bleeding_abs_diff": (found - real).abs()}


def bleeding(rgb: Tensor) -> Tensor:
    """The value (N,) of sRGB (N, 3, H, W) in [0, 1], at least 3×3; 0 where chroma is even."""
    from kornia.filters import spatial_gradient

    gradient = spatial_gradient(cie_lab(rgb), mode="sobel", normalized=True)  # (N, 3, 2, H, W), per pixel
    lightness = gradient[:, 0].norm(dim=1)  # (N, H, W)
    chroma = gradient[:, 1:].flatten(1, 2).norm(dim=1)
    flat = torch.exp(-((lightness / FLAT) ** 2)).clamp_min(1e-6)
    return (flat * chroma).sum(dim=(1, 2)) / flat.sum(dim=(1, 2))
