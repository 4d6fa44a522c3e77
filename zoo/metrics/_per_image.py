"""Metrics that are a mean over images."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from zoo.errors import ZooError
from zoo.metrics import Metric, Score


class PerImageMetric(Metric):
    """Gives one value per image and score; the score is their mean."""

    def __init__(self) -> None:
        self._batches: dict[str, list[Tensor]] = {name: [] for name in self.names()}

    @abstractmethod
    def measure(self, pred: Tensor, truth: Tensor) -> dict[str, Tensor]:
        """The values (N,) of each of `names`, for batches as in `update`."""

    @torch.no_grad()
    def update(self, pred: Tensor, truth: Tensor) -> None:
        for name, values in self.measure(pred, truth).items():
            self._batches[name].append(values.double().cpu())

    def compute(self) -> list[Score]:
        if not next(iter(self._batches.values())):
            return self.hole("no images")
        better = self.names()
        values = {name: torch.cat(batches) for name, batches in self._batches.items()}
        return [_score(name, v, better[name]) for name, v in values.items()]


def _score(name: str, values: Tensor, higher_is_better: bool | None) -> Score:
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
