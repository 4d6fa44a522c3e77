"""Kernel Inception distance (Bińkowski et al. 2018)."""

from __future__ import annotations

from torch import Tensor

from zoo.metrics._inception import inception_sha, load_inception
from zoo.metrics._mmd import SUBSET_SIZE, Kernel, MMDMetric
from zoo.registry import metrics


@metrics.register("kid")
class KID(MMDMetric):
    """Squared MMD of the features of FID under the kernel (x·y/D + 1)³: not multiplied by 1000, may be below 0.

    Unbiased at every N, unlike FID. Published code averages over random subsets, of 1000 images most often; here each
    image counts, see `MMDMetric`.

    Args:
        weights: path of the Inception file, as for ``fid``.
        subset_size: images in a block, 16 KiB each.
    """

    version = 2

    def __init__(self, weights: str | None = None, subset_size: int = SUBSET_SIZE) -> None:
        super().__init__("kid", subset_size)
        self.weights = weights

    def weights_sha(self) -> str | None:
        return inception_sha(self.weights)

    def load(self, device: str) -> None:
        self.extractor = load_inception(self.weights, device)

    def kernel(self, truth: Tensor) -> Kernel:
        return cubic


def cubic(x: Tensor, y: Tensor) -> Tensor:
    """(x·y/D + 1)³ of (N, D) and (M, D): (N, M)."""
    return (x @ y.T / x.shape[1] + 1) ** 3
