"""Maximum mean discrepancy with a Gaussian kernel (Gretton et al. 2012), as CMMD takes it (Jayasumana et al. 2024)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from zoo.errors import ZooError
from zoo.metrics._encoder_space import AUTO
from zoo.metrics._mmd import SUBSET_SIZE, Kernel, MMDMetric
from zoo.metrics._spaces import SpaceMetric
from zoo.registry import metrics


@metrics.register("mmd")
class MMD(SpaceMetric, MMDMetric):
    """Squared MMD under exp(−\\|x − y\\|²/2σ²), between 0 (but for chance, also below) and 2; its score is
    ``mmd_st_lpips``, ….

    Unlike FD it takes no set for a Gaussian and is unbiased at every N. CMMD is this in the space of CLIP with σ = 10,
    times 1000. For spaces and options see `SpaceMetric`, for blocks `MMDMetric`.

    Args:
        sigma: of the kernel, in the space's units; None: the median distance of the truths of the first block, which
            is the same for all colourings of the same photos.
        subset_size: images in a block.
    """

    def __init__(
        self,
        space: str = "st_lpips",
        weights: str | None = None,
        face_box: Sequence[float] | str | None = AUTO,
        sigma: float | None = None,
        subset_size: int = SUBSET_SIZE,
    ) -> None:
        SpaceMetric.__init__(self, space, weights, face_box)
        MMDMetric.__init__(self, f"mmd_{space}", subset_size)
        if sigma is not None and not sigma > 0:
            raise ZooError(f"sigma={sigma}: expected a number above 0, or null")
        self.sigma = sigma
        self._of_blocks: Kernel | None = None

    def names(self) -> dict[str, bool | None]:
        return MMDMetric.names(self)

    def kernel(self, truth: Tensor) -> Kernel:
        if self.sigma is not None:
            return partial(gaussian, sigma=self.sigma)
        first = self._of_blocks or partial(gaussian, sigma=median_distance(truth))
        if len(truth) >= self.subset_size:  # a block that is closed, and no last one that may still grow
            self._of_blocks = first
        return first


def gaussian(x: Tensor, y: Tensor, sigma: float) -> Tensor:
    """exp(−\\|x − y\\|²/2σ²) of (N, D) and (M, D): (N, M)."""
    return torch.exp(-torch.cdist(x, y).square() / (2 * sigma**2))


def median_distance(x: Tensor) -> float:
    """Of the pairs of (N, D); 1 where all are alike."""
    distance = torch.nn.functional.pdist(x).median().item()
    return distance if distance > 0 else 1.0
