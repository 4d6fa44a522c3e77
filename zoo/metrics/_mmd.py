"""The maximum mean discrepancy of two sets of features (Gretton et al. 2012), in blocks."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from zoo.errors import ZooError
from zoo.metrics import FeatureMetric, Score, enough

SUBSET_SIZE = 1000  # of the published code
Kernel = Callable[[Tensor, Tensor], Tensor]  # (N, D), (M, D) → (N, M)


class MMDMetric(FeatureMetric):
    """Squared MMD of colourings and truths, unbiased at every N; it may be below 0.

    Each image counts: the images are taken in blocks of ``subset_size`` as they come (the last of up to twice that),
    and the value is the mean over blocks, weighted by their size (the block test of Zaremba et al. 2013). So memory
    does not grow with N. The images must not be sorted by what they show; `zoo.evaluation.evaluate` shows them in the
    order of a hash. A colouring is never compared with its own truth, with which it shares L: that would bias it.

    Args:
        name: of the score.
        subset_size: images in a block.
    """

    def __init__(self, name: str, subset_size: int) -> None:
        if subset_size < 2:
            raise ZooError(f"subset_size={subset_size}: expected at least 2")
        self.name, self.subset_size = name, subset_size
        self._held = torch.empty(0)  # (2·subset_size, 2, D): features of colourings and truths
        self._waiting = 0  # so many of them are in no block yet
        self._in_blocks = 0
        self._weighted = 0.0  # sum over blocks of MMD²·size

    @classmethod
    def in_use_for(cls, options: dict[str, Any], images: int) -> dict[str, Any]:
        if "subset_size" not in options:
            return options
        one_block = images // 2 + 1  # as the last one takes up to twice as many
        return {**options, "subset_size": enough(options["subset_size"], SUBSET_SIZE, one_block)}

    @abstractmethod
    def kernel(self, truth: Tensor) -> Kernel:
        """The kernel of all blocks, asked for with the truths (N, D) of the first."""

    def names(self) -> dict[str, bool | None]:
        return {self.name: False}

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
        self._weighted += self._weighted_mmd(self._held[:size])
        self._in_blocks += size
        self._held[:size] = self._held[size:]
        self._waiting -= size

    def _weighted_mmd(self, pairs: Tensor) -> float:
        """MMD² of a block (n, 2, D), times n."""
        x, y = pairs.double().unbind(dim=1)
        return squared_mmd(x, y, self.kernel(y)) * len(pairs)

    def compute(self) -> list[Score]:
        n = self._in_blocks + self._waiting
        if n < 2:
            return self.missing(f"needs at least 2 images, got {n}")
        return [Score(self.name, (self._weighted + self._weighted_mmd(self._held[: self._waiting])) / n, False)]


def squared_mmd(x: Tensor, y: Tensor, kernel: Kernel, *, rows: int = 500) -> float:
    """Unbiased MMD² of paired samples: the mean over i ≠ j of k(xᵢ,xⱼ) + k(yᵢ,yⱼ) − k(xᵢ,yⱼ) − k(xⱼ,yᵢ).

    The U-statistic of Gretton et al. 2012, lemma 6, which asks nothing of the relation of xᵢ and yᵢ.

    Args:
        x, y: (N, D), N ≥ 2.
        rows: how many of the kernel's N rows are held at a time.
    """
    total = 0.0
    for start in range(0, len(x), rows):
        a, b = x[start : start + rows], y[start : start + rows]
        h = kernel(a, x) + kernel(b, y) - kernel(a, y) - kernel(b, x)  # (rows, N)
        total += (h.sum() - h.diagonal(start).sum()).item()
    return total / (len(x) * (len(x) - 1))
