"""DEIS: third order, over the angle between signal and noise."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from torch import Tensor

from zoo.registry import samplers
from zoo.samplers import Denoise, Trajectory


@samplers.register("deis")
def deis(denoise: Denoise, x: Tensor, path: Trajectory) -> Tensor:
    """The exponential integrator DEIS of third order (Zhang & Chen 2023, tAB2), of x0 over the angle φ = atan2(σ, α).

    x_s = σ_s/σ_t·x_t + σ_s·∫ x0(φ)/sin²φ dφ from φ_s to φ_t, with the parabola through the last three x0. The angle is
    finite at both ends, where log-SNR is not: no step falls back to first order but the first.
    """
    past: list[tuple[float, Tensor]] = []  # (φ, x0)
    for t, alpha_t, sigma_t, alpha_s, sigma_s in path.of(x):
        phi_t, phi_s = math.atan2(sigma_t.item(), alpha_t.item()), math.atan2(sigma_s.item(), alpha_s.item())
        x0 = denoise(x, t)
        past = [*(known for known in past if known[0] > phi_t), (phi_t, x0)][-3:]
        weights = _deis_weights([phi for phi, _ in past], phi_t, phi_s)
        x = math.sin(phi_s) / math.sin(phi_t) * x + sum(w * known for w, (_, known) in zip(weights, past, strict=True))
    return x


def _deis_weights(nodes: Sequence[float], phi_t: float, phi_s: float) -> list[float]:
    """sin φ_s·∫ ℓ(φ)/sin²φ dφ from φ_s to φ_t for the Lagrange polynomial ℓ of each node; its limit where φ_s is 0."""
    if phi_s <= 0:
        phi, density = np.zeros(1), np.ones(1)
    else:  # Gauss–Legendre over log φ, in which the integrand is smooth
        u, weight = np.polynomial.legendre.leggauss(32)
        half = math.log(phi_t / phi_s) / 2
        phi = phi_s * np.exp(half * (u + 1))
        density = math.sin(phi_s) * half * weight * phi / np.sin(phi) ** 2
    others = [[other for other in nodes if other != node] for node in nodes]
    return [
        float(sum(density * np.prod([(phi - o) / (node - o) for o in rest] or [np.ones_like(phi)], axis=0)))
        for node, rest in zip(nodes, others, strict=True)
    ]
