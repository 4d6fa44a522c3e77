"""Kernel Inception distance (Bińkowski et al. 2018)."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.errors import ZooError
from zoo.metrics import FeatureMetric, Score
from zoo.metrics._inception import load_inception
from zoo.registry import metrics


@metrics.register("kid")
class KID(FeatureMetric):
    """Squared MMD of the features of FID under the kernel (x·y/D + 1)³: not multiplied by 1000, may be below 0.

    Unbiased at every N, unlike FID. Published code averages over random subsets, of 1000 images most often. Here each
    image counts: the images are taken in blocks of ``subset_size`` as they come (the last of up to twice that), and
    the value is the mean over blocks, weighted by their size (the block test of Zaremba et al. 2013). So memory does
    not grow with N. The images must not be sorted by what they show; `zoo.evaluation.evaluate` shows them in the
    order of a hash. A colouring is never compared with its own truth, with which it shares L: that would bias it.

    Args:
        weights: path of the Inception file, as for ``fid``.
        subset_size: images in a block, 16 KiB each.
    """

    version = 2

    def __init__(self, weights: str | None = None, subset_size: int = 1000) -> None:
        if subset_size < 2:
            raise ZooError(f"metrics.kid.subset_size={subset_size}: expected at least 2")
        self.weights, self.subset_size = weights, subset_size
        self._held = torch.empty(0)  # (2·subset_size, 2, D): features of colourings and truths
        self._waiting = 0  # so many of them are in no block yet
        self._in_blocks = 0
        self._weighted = 0.0  # sum over blocks of MMD²·size

    def names(self) -> dict[str, bool | None]:
        return {"kid": False}

    def load(self, device: str) -> None:
        self.extractor = load_inception(self.weights, device, "metrics.kid.weights")

    def update_features(self, pred: Tensor, truth: Tensor) -> None:
        pairs = torch.stack([pred.cpu(), truth.cpu()], dim=1)
        if not len(self._held):
            self._held = pairs.new_empty(2 * self.subset_size, *pairs.shape[1:])
        for part in pairs.split(self.subset_size):
            part = self._fill(part)
            if self._waiting == len(self._held):
                self._close_block()
            self._fill(part)

    def _fill(self, pairs: Tensor) -> Tensor:
        """Hold as many as there is room for; what is left over."""
        n = min(len(pairs), len(self._held) - self._waiting)
        self._held[self._waiting : self._waiting + n] = pairs[:n]
        self._waiting += n
        return pairs[n:]

    def _close_block(self) -> None:
        size = self.subset_size
        self._weighted += _weighted_mmd(self._held[:size])
        self._in_blocks += size
        self._held[:size] = self._held[size:]
        self._waiting -= size

    def compute(self) -> list[Score]:
        n = self._in_blocks + self._waiting
        if n < 2:
            return self.missing(f"needs at least 2 images, got {n}")
        return [Score("kid", (self._weighted + _weighted_mmd(self._held[: self._waiting])) / n, False)]


def _weighted_mmd(pairs: Tensor) -> float:
    """MMD² of a block (n, 2, D), times n."""
    x, y = pairs.double().unbind(dim=1)
    return squared_mmd(x, y) * len(pairs)


def squared_mmd(x: Tensor, y: Tensor, *, rows: int = 500) -> float:
    """Unbiased MMD² of paired samples: the mean over i ≠ j of k(xᵢ,xⱼ) + k(yᵢ,yⱼ) − k(xᵢ,yⱼ) − k(xⱼ,yᵢ).

    The U-statistic of Gretton et al. 2012, lemma 6, which asks nothing of the relation of xᵢ and yᵢ.

    Args:
        x, y: (N, D), N ≥ 2.
        rows: how many of the kernel's N rows are held at a time.
    """
    total = 0.0
    for a, b in zip(x.split(rows), y.split(rows)):
        total += (_kernel(a, x).sum() + _kernel(b, y).sum() - _kernel(a, y).sum() - _kernel(b, x).sum()).item()
    paired = _kernel_of_pairs(x, x) + _kernel_of_pairs(y, y) - 2 * _kernel_of_pairs(x, y)
    n = x.shape[0]
    return (total - paired.sum().item()) / (n * (n - 1))


def _kernel(x: Tensor, y: Tensor) -> Tensor:
    return (x @ y.T / x.shape[1] + 1) ** 3  # (N, M)


def _kernel_of_pairs(x: Tensor, y: Tensor) -> Tensor:
    return ((x * y).mean(dim=1) + 1) ** 3  # (N,)
