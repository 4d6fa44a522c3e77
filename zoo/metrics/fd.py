"""Fréchet distance in a named feature space. Only Inception's is called FID."""

from __future__ import annotations

from collections.abc import Sequence

from zoo.metrics._encoder_space import AUTO
from zoo.metrics._frechet import FrechetMetric
from zoo.metrics._spaces import SpaceMetric
from zoo.registry import metrics


@metrics.register("fd")
class FD(SpaceMetric, FrechetMetric):
    """Fréchet distance between colourings and their truths; its score is ``fd_st_lpips``, ``fd_arcface``, ….

    Biased upwards at a small N: give N beside it, never compare across N. For spaces and options see `SpaceMetric`.
    """

    def __init__(
        self, space: str = "st_lpips", weights: str | None = None, face_box: Sequence[float] | str | None = AUTO
    ) -> None:
        SpaceMetric.__init__(self, space, weights, face_box)
        FrechetMetric.__init__(self)
        self.name = f"fd_{space}"

    def names(self) -> dict[str, bool | None]:
        return FrechetMetric.names(self)
