"""In which order training images are seen: a pure function of (seed, step)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from zoo.encoders import Images
from zoo.errors import ZooError
from zoo.seeds import seed_of


@dataclass(frozen=True)
class Part:
    """Some of the images, and their weight in a mixture."""

    indices: np.ndarray
    weight: float


def parts_of(keys: Sequence[str], weights: Mapping[str, float]) -> dict[str, Part]:
    """The parts of a mixture: those of ``keys`` that begin with the same folder. Raises `ZooError` for an empty one."""
    first = np.array([key.partition("/")[0] for key in keys])
    parts = {name: Part(np.flatnonzero(first == name), weight) for name, weight in sorted(weights.items())}
    for name, part in parts.items():
        if not len(part.indices):
            raise ZooError(f"none of the training images is of the part {name!r}; raise the limit, or leave it out")
    return parts


class Shuffled:
    """Training images, drawn epoch by epoch in an order that depends on the seed alone.

    Args:
        images: to train on.
        batch_size: images of a step.
        seed: of the order.
        parts: of a mixture, by name. Each batch has of each part its share, give or take one, and each part has epochs
            of its own. None: all images alike.
    """

    def __init__(
        self, images: Images, batch_size: int, seed: int, parts: Mapping[str, Part] = MappingProxyType({})
    ) -> None:
        self.images, self.batch_size, self.seed, self.parts = images, batch_size, seed, parts

    def _indices(self, step: int) -> np.ndarray:
        """Images of ``step``."""
        if not self.parts:
            return self._taken(len(self.images), step * self.batch_size, self.batch_size)
        weights = np.array([part.weight for part in self.parts.values()], dtype=np.float64)
        shares = weights / weights.sum() * self.batch_size
        # rounded by an offset drawn anew, so that over many steps the shares come out
        ends = np.floor(np.cumsum([self._offset(step), *shares]) + 1e-9)
        counts = np.diff(ends).astype(int)
        chosen = [
            part.indices[self._taken(len(part.indices), math.floor(share * step), count, name)]
            for (name, part), share, count in zip(self.parts.items(), shares, counts, strict=True)
        ]
        return np.concatenate(chosen)

    def _taken(self, n: int, start: int, count: int, *part: str) -> np.ndarray:
        """``count`` of n images from the ``start``-th on: epochs are shuffled one by one and follow without a gap."""
        positions = np.arange(start, start + count)
        epochs = {e: self._order(n, int(e), *part) for e in np.unique(positions // n)}
        return np.array([epochs[p // n][p % n] for p in positions], dtype=np.int64)

    def _order(self, n: int, epoch: int, *part: str) -> np.ndarray:
        return np.random.default_rng(seed_of("epoch", self.seed, epoch, *part)).permutation(n)

    def _offset(self, step: int) -> float:
        return float(np.random.default_rng(seed_of("mixture", self.seed, step)).random())
