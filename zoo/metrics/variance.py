"""How much scores depend on the noise that happened to be drawn."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.metrics._samples import SamplesMetric
from zoo.metrics.colorfulness import colorfulness
from zoo.metrics.psnr import psnr
from zoo.registry import metrics


@metrics.register("variance")
class Variance(SamplesMetric):
    """Variance of an image's score over samples of its colouring (unbiased, divided by S − 1), averaged over images.

    * ``variance_psnr``: of the PSNR, in dB².
    * ``variance_colorfulness``: of the colourfulness.

    The mean of a score over N images, coloured once each, would with another seed of the noise come out differently
    by a standard deviation of √(variance / N): two colourers whose means differ by less are not told apart. 0 for a
    colourer that draws nothing. Neither side is better.

    Args:
        samples: of each image, at least 2.
        images: only so many are measured; None: all.
    """

    name = "variance"

    def names(self) -> dict[str, bool | None]:
        return {"variance_psnr": None, "variance_colorfulness": None}

    def measure_samples(self, samples: Tensor, truth: Tensor) -> dict[str, Tensor]:
        fidelity = torch.stack([psnr(sample, truth) for sample in samples])  # (S, N)
        color = torch.stack([colorfulness(sample) for sample in samples])
        return {"variance_psnr": _variance(fidelity), "variance_colorfulness": _variance(color)}


def _variance(values: Tensor) -> Tensor:
    return values.cpu().double().var(dim=0)
