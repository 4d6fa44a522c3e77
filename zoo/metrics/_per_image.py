"""Metrics that are a mean over images."""

from __future__ import annotations

from abc import abstractmethod
from array import array
from dataclasses import replace

import torch
from torch import Tensor

from zoo.errors import ZooError
from zoo.metrics import Metric, Score, mean_score, spread


class PerImageMetric(Metric):
    """Gives one value per image and score; the score is their mean.

    Attributes:
        intervals: the notes tell the number of images and the interval of the mean.
    """

    intervals = False

    def __init__(self) -> None:
        self._values = {name: array("d") for name in self.names()}  # in one piece: small tensors fragment the memory

    @abstractmethod
    def measure(self, pred: Tensor, truth: Tensor) -> dict[str, Tensor]:
        """The values (N,) of each of `names`, for batches as in `update`."""

    @torch.no_grad()
    def update(self, pred: Tensor, truth: Tensor) -> None:
        self._keep(self.measure(pred, truth))

    def _keep(self, values: dict[str, Tensor]) -> None:
        for name, batch in values.items():
            self._values[name].extend(batch.tolist())

    def compute(self) -> list[Score]:
        if not next(iter(self._values.values())):
            return self.missing("no images")
        better = self.names()
        values = {name: torch.tensor(found, dtype=torch.float64) for name, found in self._values.items()}
        scores = [mean_score(name, v, better[name]) for name, v in values.items()]
        if not self.intervals:
            return scores
        return [score if score.value is None else replace(score, note=spread(values[score.name])) for score in scores]


def require_side(images: Tensor, least: int, metric: str) -> None:
    """Raises `ZooError` for images too small for ``metric``."""
    if min(images.shape[-2:]) < least:
        height, width = images.shape[-2:]
        raise ZooError(f"metric {metric}: images of {height}×{width} are too small; it needs at least {least} pixels")
