"""The velocity of the diffusion."""

from __future__ import annotations

from torch import Tensor

from zoo.objectives import Objective
from zoo.registry import objectives


@objectives.register("v")
class V(Objective):
    """v = α·noise − σ·x0 (Salimans & Ho 2022)."""

    def target(self, x0: Tensor, noise: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
        return alpha * noise - sigma * x0

    def to_x0(self, prediction: Tensor, x_t: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
        return alpha * x_t - sigma * prediction

    def error(self, snr: Tensor) -> Tensor:
        return snr + 1
