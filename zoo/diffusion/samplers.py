"""Samplers: free functions from noise to x0 that know neither network nor conditioning.

Each takes ``denoise(x_t, t) → x0`` with t (N,), noise x_T (N, C, h, w), a schedule and a number of steps.
``generators`` holds one random generator per image, so that a result does not depend on its batch. ``time_power``
bends the times: u ↦ u^time_power for evenly spaced u, so that above 1 the steps near pure noise are the longer ones.
"""

from __future__ import annotations

import difflib
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from zoo.diffusion.process import Schedule
from zoo.errors import ZooError

VERSION = 1  # raise it when the same options give other samples
Denoise = Callable[[Tensor, Tensor], Tensor]
Callback = Callable[[int, Tensor], None]  # (steps done, current estimate of x0)


class Sampler(Protocol):
    def __call__(
        self,
        denoise: Denoise,
        x: Tensor,
        schedule: Schedule,
        steps: int,
        *,
        generators: Sequence[torch.Generator] = ...,
        callback: Callback | None = ...,
        time_power: float = ...,
    ) -> Tensor: ...


@dataclass(frozen=True)
class SamplerConfig:
    """How to sample. The defaults keep the standard deviation of a Gaussian within 2 % (``docs/samplers.md``).

    Args:
        name: a key of `SAMPLERS`.
        steps: network evaluations (doubled by guidance).
        guidance: strength of classifier-free guidance on the encoder's features; 1 is none.
        time_power: above 1, longer steps near pure noise and shorter ones near the end; 1: evenly spaced.
        eta: ddim only: 0 deterministic, 1 as noisy as DDPM.
        dynamic_threshold: percentile in (0, 1] beyond which x0 is pulled in (Saharia et al. 2022), or None.
    """

    name: str = "deis"
    steps: int = 8
    guidance: float = 1.0
    time_power: float = 2.5
    eta: float = 0.0
    dynamic_threshold: float | None = None

    def __post_init__(self) -> None:
        if self.name not in SAMPLERS:
            close = difflib.get_close_matches(self.name, SAMPLERS, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else "."
            raise ZooError(f"unknown sampler {self.name!r}{hint} Available: {', '.join(SAMPLERS)}.")
        if self.steps < 1:
            raise ZooError(f"steps must be at least 1, not {self.steps}")
        if not self.time_power > 0:
            raise ZooError(f"time_power must be greater than 0, not {self.time_power}")
        if self.eta and self.name != "ddim":
            raise ZooError(f"eta is for ddim only, not {self.name}")
        if not 0 <= self.eta <= 1:
            raise ZooError(f"eta must lie in [0, 1], not {self.eta}")
        if self.dynamic_threshold is not None and not 0 < self.dynamic_threshold <= 1:
            raise ZooError(f"dynamic_threshold must lie in (0, 1], not {self.dynamic_threshold}")

    def in_use(self, *, regression: bool, guided: bool) -> dict[str, Any]:
        """Its options but for those that nothing reads: two that agree in these are one.

        Args:
            regression: x0 is said at once, in one evaluation.
            guided: there is a context that guidance could lead to.
        """
        read = {"dynamic_threshold"} | ({"guidance"} if guided and self.guidance != 1 else set())
        if not regression:
            read |= {"name", "steps", "time_power"} | ({"eta"} if self.name == "ddim" else set())
        return {name: value for name, value in asdict(self).items() if name in read}

    def __call__(
        self,
        denoise: Denoise,
        x: Tensor,
        schedule: Schedule,
        *,
        generators: Sequence[torch.Generator] = (),
        callback: Callback | None = None,
    ) -> Tensor:
        """Run the sampler of this name."""
        sampler = partial(ddim, eta=self.eta) if self.name == "ddim" else SAMPLERS[self.name]
        return sampler(
            denoise, x, schedule, self.steps, generators=generators, callback=callback, time_power=self.time_power
        )


def ddim(
    denoise: Denoise,
    x: Tensor,
    schedule: Schedule,
    steps: int,
    *,
    generators: Sequence[torch.Generator] = (),
    callback: Callback | None = None,
    time_power: float = 1.0,
    eta: float = 0.0,
) -> Tensor:
    """Song et al. 2021, eq. 12; eta scales the noise that is put back."""
    x0 = x
    for i, (t, s) in enumerate(_intervals(steps, x, time_power)):
        alpha_t, sigma_t, alpha_s, sigma_s = *_at(schedule, t), *_at(schedule, s)
        x0 = denoise(x, t)
        noise = (x - alpha_t * x0) / sigma_t
        added = torch.zeros_like(sigma_s)
        if eta:  # eq. 16, with α_t²/α_s² written so that α_t = 0 is no special case
            added = eta * (sigma_s / sigma_t) * (1 - (alpha_t / alpha_s) ** 2).clamp_min(0).sqrt()
        x = alpha_s * x0 + (sigma_s**2 - added**2).clamp_min(0).sqrt() * noise
        if eta and i < steps - 1:
            x = x + added * noise_like(x, generators)
        if callback:
            callback(i + 1, x0)
    return x0


def ddpm(
    denoise: Denoise,
    x: Tensor,
    schedule: Schedule,
    steps: int,
    *,
    generators: Sequence[torch.Generator] = (),
    callback: Callback | None = None,
    time_power: float = 1.0,
) -> Tensor:
    """Ho et al. 2020, algorithm 2: ancestral sampling with the posterior's variance, which is DDIM at eta = 1."""
    return ddim(denoise, x, schedule, steps, generators=generators, callback=callback, time_power=time_power, eta=1.0)


def dpmpp_2m(
    denoise: Denoise,
    x: Tensor,
    schedule: Schedule,
    steps: int,
    *,
    generators: Sequence[torch.Generator] = (),
    callback: Callback | None = None,
    time_power: float = 1.0,
) -> Tensor:
    """DPM-Solver++(2M), Lu et al. 2022, algorithm 2; first order where log-SNR is infinite (both ends)."""
    x0 = before = x
    h_before = torch.tensor(torch.inf)
    for i, (t, s) in enumerate(_intervals(steps, x, time_power)):
        alpha_t, sigma_t, alpha_s, sigma_s = *_at(schedule, t), *_at(schedule, s)
        x0 = denoise(x, t)
        h = ((alpha_s * sigma_t) / (sigma_s * alpha_t)).log().flatten()[0]  # λ_s − λ_t
        second = 0 < i < steps - 1 and bool(torch.isfinite(h_before))
        d = x0 + (x0 - before) * (h / (2 * h_before)) if second else x0
        x = (sigma_s / sigma_t) * x + (alpha_s - sigma_s * alpha_t / sigma_t) * d
        before, h_before = x0, h
        if callback:
            callback(i + 1, x0)
    return x


def deis(
    denoise: Denoise,
    x: Tensor,
    schedule: Schedule,
    steps: int,
    *,
    generators: Sequence[torch.Generator] = (),
    callback: Callback | None = None,
    time_power: float = 1.0,
) -> Tensor:
    """The exponential integrator DEIS of third order (Zhang & Chen 2023, tAB2), of x0 over the angle φ = atan2(σ, α).

    x_s = σ_s/σ_t·x_t + σ_s·∫ x0(φ)/sin²φ dφ from φ_s to φ_t, with the parabola through the last three x0. The angle is
    finite at both ends, where log-SNR is not: no step falls back to first order but the first.
    """
    past: list[tuple[float, Tensor]] = []  # (φ, x0)
    for i, (t, s) in enumerate(_intervals(steps, x, time_power)):
        phi_t, phi_s = _angle(schedule, t), _angle(schedule, s)
        x0 = denoise(x, t)
        past = [*(known for known in past if known[0] > phi_t), (phi_t, x0)][-3:]
        weights = _deis_weights([phi for phi, _ in past], phi_t, phi_s)
        x = math.sin(phi_s) / math.sin(phi_t) * x + sum(w * known for w, (_, known) in zip(weights, past, strict=True))
        if callback:
            callback(i + 1, x0)
    return x


def _angle(schedule: Schedule, t: Tensor) -> float:
    return math.atan2(schedule.sigma(t[:1]).item(), schedule.alpha(t[:1]).item())


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


SAMPLERS: dict[str, Sampler] = {"ddim": ddim, "ddpm": ddpm, "deis": deis, "dpmpp_2m": dpmpp_2m}


def noise_like(x: Tensor, generators: Sequence[torch.Generator]) -> Tensor:
    """Standard normal noise (N, ...), the i-th image's from the i-th generator, drawn on the CPU."""
    if len(generators) != len(x):
        raise ValueError(f"{len(x)} images need as many generators, not {len(generators)}")
    return torch.stack([torch.randn(x.shape[1:], generator=g) for g in generators]).to(x)


def _intervals(steps: int, x: Tensor, time_power: float) -> list[tuple[Tensor, Tensor]]:
    """(from, to) for each step from t = 1 to t = 0; each (N,)."""
    times = torch.linspace(1, 0, steps + 1, device=x.device) ** time_power
    return [(t.expand(len(x)), s.expand(len(x))) for t, s in itertools.pairwise(times)]


def _at(schedule: Schedule, t: Tensor) -> tuple[Tensor, Tensor]:
    t = t[:, None, None, None]
    return schedule.alpha(t), schedule.sigma(t)
