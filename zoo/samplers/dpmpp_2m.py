"""DPM-Solver++: second order in few steps."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.registry import samplers
from zoo.samplers import Denoise, Trajectory


@samplers.register("dpmpp_2m")
def dpmpp_2m(denoise: Denoise, x: Tensor, path: Trajectory) -> Tensor:
    """DPM-Solver++(2M), Lu et al. 2022, algorithm 2; first order where log-SNR is infinite (both ends)."""
    before, h_before = x, torch.tensor(torch.inf)
    for i, (t, alpha_t, sigma_t, alpha_s, sigma_s) in enumerate(path.of(x), start=1):
        x0 = denoise(x, t)
        h = ((alpha_s * sigma_t) / (sigma_s * alpha_t)).log().flatten()[0]  # λ_s − λ_t
        second = 1 < i < path.steps and bool(torch.isfinite(h_before))
        d = x0 + (x0 - before) * (h / (2 * h_before)) if second else x0
        x = (sigma_s / sigma_t) * x + (alpha_s - sigma_s * alpha_t / sigma_t) * d
        before, h_before = x0, h
    return x
