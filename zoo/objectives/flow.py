"""The velocity of rectified flow."""

from __future__ import annotations

from torch import Tensor

from zoo.objectives import Objective
from zoo.registry import objectives


@objectives.register("flow")
class Flow(Objective):
    """noise − x0 (Liu et al. 2023, Lipman et al. 2023); with the schedule flow this is flow matching."""

    def target(self, x0: Tensor, noise: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
        return noise - x0

    def to_x0(self, prediction: Tensor, x_t: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
        return (x_t - sigma * prediction) / (alpha + sigma)
