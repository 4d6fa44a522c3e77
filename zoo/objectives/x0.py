"""The image."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.objectives import Objective
from zoo.registry import objectives


@objectives.register("x0")
class X0(Objective):
    """The image without noise, x0 itself."""

    def target(self, x0: Tensor, noise: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
        return x0

    def to_x0(self, prediction: Tensor, x_t: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
        return prediction

    def error(self, snr: Tensor) -> Tensor:
        return torch.ones_like(snr)
