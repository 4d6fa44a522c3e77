"""Kernel Inception distance (Bińkowski et al. 2018)."""

from __future__ import annotations

import random

import torch
from torch import Tensor

from zoo.errors import ZooError
from zoo.metrics import Metric, Score
from zoo.metrics._inception import load_inception
from zoo.registry import metrics

SEED = 0


@metrics.register("kid")
class KID(Metric):
    """Squared MMD of the features of FID under the kernel (x·y/D + 1)³: not multiplied by 1000, may be below 0.

    Unbiased at every N, unlike FID. Published code averages over random subsets, of 1000 images most often; this is
    the estimate that such an average tends to: all pairs of the images kept. Kept are all up to ``max_images``, and
    of more a uniformly random sample (reservoir sampling, seeded), so memory does not grow with N. A colouring is
    never compared with its own truth, with which it shares L: the pairs are not independent, and would bias it.

    Args:
        weights: path of the Inception file, as for ``fid``.
        max_images: 16 KiB each.
    """

    def __init__(self, weights: str | None = None, max_images: int = 5000) -> None:
        if max_images < 2:
            raise ZooError(f"metrics.kid.max_images={max_images}: expected at least 2")
        self.weights, self.max_images = weights, max_images
        self._kept: list[Tensor] = []  # (2, D): features of a colouring and its truth
        self._n = 0
        self._random = random.Random(SEED)

    def names(self) -> dict[str, bool | None]:
        return {"kid": False}

    def prepare(self, device: str) -> None:
        self._inception = load_inception(self.weights, device, "metrics.kid.weights")

    def update(self, pred: Tensor, truth: Tensor) -> None:
        for pair in torch.stack([self._inception(pred), self._inception(truth)], dim=1).cpu():
            self._n += 1
            if len(self._kept) < self.max_images:
                self._kept.append(pair.clone())
            elif (place := self._random.randrange(self._n)) < self.max_images:
                self._kept[place] = pair.clone()

    def compute(self) -> list[Score]:
        if self._n < 2:
            return self.hole(f"needs at least 2 images, got {self._n}")
        x, y = torch.stack(self._kept).double().unbind(dim=1)
        return [Score("kid", squared_mmd(x, y), False)]


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
