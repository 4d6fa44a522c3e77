"""Metrics that are a mean over images."""

from __future__ import annotations

from abc import abstractmethod
from array import array

import torch
from torch import Tensor

from zoo.errors import ZooError
from zoo.metrics import Metric, Score


class PerImageMetric(Metric):
    """Gives one value per image and score; the score is their mean."""

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
        return [mean_score(name, v, better[name]) for name, v in values.items()]


def mean_score(name: str, values: Tensor, higher_is_better: bool | None) -> Score:
    """The mean of values (N,) per image, leaving out NaN, and saying how many were left out."""
    counted = ~values.isnan()
    if not counted.any():
        return Score(name, None, higher_is_better, note="no image has a value")
    note = "" if counted.all() else f"{int(counted.sum())} of {len(values)} images have a value"
    return Score(name, values[counted].mean().item(), higher_is_better, per_image=values, note=note)


def require_side(images: Tensor, least: int, metric: str) -> None:
    """Raises `ZooError` for images too small for ``metric``."""
    if min(images.shape[-2:]) < least:
        height, width = images.shape[-2:]
        raise ZooError(f"metric {metric}: images of {height}×{width} are too small; it needs at least {least} pixels")
