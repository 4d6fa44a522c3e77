"""How far a colouring's lightness is from the photo's."""

from __future__ import annotations

from torch import Tensor

from zoo.color.lab import rgb_to_lab
from zoo.metrics._per_image import PerImageMetric
from zoo.registry import metrics


@metrics.register("lightness_shift")
class LightnessShift(PerImageMetric):
    """Mean \\|ΔL*\\| (0 to 100) of colouring and truth, over pixels and then images.

    A method that knows L and keeps it has next to none, all of it where colours leave sRGB and are clipped. Of a system
    that does not keep it, other paired scores count this shift too.
    """

    def names(self) -> dict[str, bool | None]:
        return {"lightness_shift": False}

    def measure(self, pred: Tensor, truth: Tensor) -> dict[str, Tensor]:
        shift = rgb_to_lab(pred)[0] - rgb_to_lab(truth)[0]  # (N, 1, H, W) in [-1, 1] is L* of 0 to 100
        return {"lightness_shift": 50 * shift.abs().mean(dim=(1, 2, 3))}
