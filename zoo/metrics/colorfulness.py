"""Colourfulness (Hasler & Süsstrunk 2003, "Measuring colourfulness in natural images")."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.metrics._per_image import PerImageMetric
from zoo.registry import metrics


@metrics.register("colorfulness")
class Colorfulness(PerImageMetric):
    """Set means of per-image colourfulness, in two variants, for colourings and truths, and their difference.

    * ``colorfulness``: as published, on the signed opponents rg and yb.
    * ``colorfulness_dd``: the code of DDColor and of CT2 takes |rg| and |yb| first. Their tables hold this number.
    * ``…_truth``: the same of the truths. ``…_abs_diff``: mean over images of \\|colouring − truth\\|, lower is better.

    Colourfulness alone rewards over-saturation, so only the difference has a better side.
    """

    def names(self) -> dict[str, bool | None]:
        return {
            f"{variant}{suffix}": better
            for variant in ("colorfulness", "colorfulness_dd")
            for suffix, better in (("", None), ("_truth", None), ("_abs_diff", False))
        }

    def measure(self, pred: Tensor, truth: Tensor) -> dict[str, Tensor]:
        values: dict[str, Tensor] = {}
        for variant, absolute in (("colorfulness", False), ("colorfulness_dd", True)):
            of_pred, of_truth = colorfulness(pred, absolute=absolute), colorfulness(truth, absolute=absolute)
            values |= {
                variant: of_pred,
                f"{variant}_truth": of_truth,
                f"{variant}_abs_diff": (of_pred - of_truth).abs(),
            }
        return values


def colorfulness(rgb: Tensor, *, absolute: bool = False) -> Tensor:
    """√(σ²rg + σ²yb) + 0.3·√(μ²rg + μ²yb) with rg = R − G and yb = (R + G)/2 − B, over 0..255.

    Args:
        rgb: (N, 3, H, W) in [0, 1].
        absolute: take \\|rg\\| and \\|yb\\| first.

    Returns:
        (N,), 0 for grey.
    """
    r, g, b = (255 * rgb).flatten(2).unbind(dim=1)  # (N, HW) each
    opponents = torch.stack([r - g, (r + g) / 2 - b], dim=1)  # (N, 2, HW)
    if absolute:
        opponents = opponents.abs()
    variance = opponents.var(dim=2, correction=0).sum(dim=1)
    return variance.sqrt() + 0.3 * opponents.mean(dim=2).norm(dim=1)
