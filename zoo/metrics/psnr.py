"""Peak signal-to-noise ratio."""

from __future__ import annotations

from torch import Tensor

from zoo.metrics._per_image import PerImageMetric
from zoo.registry import metrics

CAP = 100.0  # dB; an exact copy would be infinitely good and would swallow the mean


@metrics.register("psnr")
class PSNR(PerImageMetric):
    """10·log10(1/MSE) in dB per image, over all pixels and channels of sRGB in [0, 1], at most 100.

    Rewards average colours: report it, do not rank by it alone.
    """

    def names(self) -> dict[str, bool | None]:
        return {"psnr": True}

    def measure(self, pred: Tensor, truth: Tensor) -> dict[str, Tensor]:
        return {"psnr": psnr(pred, truth)}


def psnr(pred: Tensor, truth: Tensor) -> Tensor:
    """The value (N,) of images (N, 3, H, W) in [0, 1]."""
    mse = (pred - truth).square().mean(dim=(1, 2, 3))  # (N,)
    return -10 * mse.clamp(min=10 ** (-CAP / 10)).log10()
