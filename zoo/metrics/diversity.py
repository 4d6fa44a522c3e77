"""How much the colourings of one photo differ."""

from __future__ import annotations

from itertools import combinations

import torch
from torch import Tensor

from zoo.color.lab import cie_lab
from zoo.metrics._samples import SamplesMetric
from zoo.registry import metrics


@metrics.register("diversity")
class Diversity(SamplesMetric):
    """Distance of two samples of one image in (a*, b*), in Lab units, averaged over pixels and pairs of samples.

    Its score is ``diversity_ab``: 0 for a colourer that always says the same. Neither side of it is better: a photo
    has many plausible colourings, but noise is diverse too. Read it beside the metrics of quality. Work on several
    plausible pictures (of inpainting, say) mostly takes LPIPS between samples; the distance of colours needs no
    weights, has a unit, and all else in the samples is alike: they share L.

    Args:
        samples: of each image, at least 2.
        images: only so many are measured; None: all.
    """

    name = "diversity"

    def names(self) -> dict[str, bool | None]:
        return {"diversity_ab": None}

    def measure_samples(self, samples: Tensor, truth: Tensor) -> dict[str, Tensor]:
        ab = [cie_lab(sample)[:, 1:] for sample in samples]  # S of (N, 2, H, W)
        distances = [torch.hypot(*(one - other).unbind(dim=1)).mean(dim=(1, 2)) for one, other in combinations(ab, 2)]
        return {"diversity_ab": torch.stack(distances).mean(dim=0)}
