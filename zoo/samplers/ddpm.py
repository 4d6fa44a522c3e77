"""DDPM: ancestral sampling."""

from __future__ import annotations

from torch import Tensor

from zoo.registry import samplers
from zoo.samplers import Denoise, Trajectory
from zoo.samplers.ddim import ddim


@samplers.register("ddpm")
def ddpm(denoise: Denoise, x: Tensor, path: Trajectory) -> Tensor:
    """Ho et al. 2020, algorithm 2: ancestral sampling with the posterior's variance, which is DDIM at eta = 1."""
    return ddim(denoise, x, path, eta=1.0)
