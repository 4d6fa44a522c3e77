"""Learning objectives: what the network says of a noisy x_t, and how errors weigh.

Every module here is the objective of its name, which is the value of ``diffusion.parameterisation``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor


class Objective(ABC):
    """What is predicted of x_t = α·x0 + σ·noise. Images are (N, C, h, w), ``alpha`` and ``sigma`` (N, 1, 1, 1).

    Options of the constructor are given as ``diffusion.parameterisation={name: mine, gamma: 5}``.

    Attributes:
        needs_signal: x0 cannot be had from a prediction where α is 0.
    """

    needs_signal: bool = False

    @abstractmethod
    def target(self, x0: Tensor, noise: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
        """What the network should say."""

    @abstractmethod
    def to_x0(self, prediction: Tensor, x_t: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
        """x0 from what it said; linear in the prediction."""

    def weight(self, alpha: Tensor, sigma: Tensor) -> Tensor:
        """Of the squared error of the prediction, at ``alpha`` and ``sigma`` (N,): (N,)."""
        return torch.ones_like(alpha)

    def error(self, snr: Tensor) -> Tensor:
        """Squared error of a prediction whose x0 has one of 1, at α²/σ² = ``snr`` (N,): (N,)."""
        alpha, sigma = (snr / (1 + snr)).sqrt(), (1 / (1 + snr)).sqrt()
        one, zero = torch.ones_like(snr), torch.zeros_like(snr)
        slope = self.to_x0(one, zero, alpha, sigma) - self.to_x0(zero, zero, alpha, sigma)
        return 1 / slope.square().clamp_min(1e-8)
