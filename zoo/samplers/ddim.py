"""DDIM: deterministic, or as noisy as DDPM."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.registry import samplers
from zoo.samplers import Denoise, Trajectory, noise_like


@samplers.register("ddim")
def ddim(denoise: Denoise, x: Tensor, path: Trajectory, *, eta: float = 0.0) -> Tensor:
    """Song et al. 2021, eq. 12; eta scales the noise that is put back."""
    for i, (t, alpha_t, sigma_t, alpha_s, sigma_s) in enumerate(path.of(x), start=1):
        x0 = denoise(x, t)
        noise = (x - alpha_t * x0) / sigma_t
        added = torch.zeros_like(sigma_s)
        if eta:  # eq. 16, with α_t²/α_s² written so that α_t = 0 is no special case
            added = eta * (sigma_s / sigma_t) * (1 - (alpha_t / alpha_s) ** 2).clamp_min(0).sqrt()
        x = alpha_s * x0 + (sigma_s**2 - added**2).clamp_min(0).sqrt() * noise
        if eta and i < path.steps:
            x = x + added * noise_like(x, path.generators)
    return x0
