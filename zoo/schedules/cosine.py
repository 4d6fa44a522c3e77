"""The cosine schedule, which ends without signal."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from zoo.registry import schedules
from zoo.schedules import Schedule


@schedules.register("cosine")
class Cosine(Schedule):
    """α = cos(πt/2), σ = sin(πt/2): zero terminal SNR (Lin et al. 2024), so sampling starts where training ends."""

    def alpha(self, t: Tensor) -> Tensor:
        return torch.where(t >= 1, 0.0, torch.cos(t * (math.pi / 2)))

    def sigma(self, t: Tensor) -> Tensor:
        return torch.sin(t * (math.pi / 2))
