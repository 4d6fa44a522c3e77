"""No noise to take off: regression."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.registry import schedules
from zoo.schedules import Schedule


@schedules.register("none")
class Blank(Schedule):
    """α = σ = 0: x_t is 0 and tells nothing of x0, which the network says at once (method=regression)."""

    def time(self, t: Tensor) -> Tensor:
        return torch.ones_like(t)

    def alpha(self, t: Tensor) -> Tensor:
        return torch.zeros_like(t)

    def sigma(self, t: Tensor) -> Tensor:
        return torch.zeros_like(t)
