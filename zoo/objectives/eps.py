"""The noise."""

from __future__ import annotations

from torch import Tensor

from zoo.objectives import Objective
from zoo.registry import objectives


@objectives.register("eps")
class Eps(Objective):
    """The noise itself (Ho et al. 2020)."""

    needs_signal = True

    def target(self, x0: Tensor, noise: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
        return noise

    def to_x0(self, prediction: Tensor, x_t: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
        return (x_t - sigma * prediction) / alpha

    def error(self, snr: Tensor) -> Tensor:
        return snr
