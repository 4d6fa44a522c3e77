"""Samplers: free functions from noise to x0, along a trajectory, that know neither network nor conditioning.

Each takes ``denoise(x_t, t) → x0``, noise x_T (N, C, h, w) and a `Trajectory` of times, and asks once a step for x0.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from zoo.diffusion.process import Schedule
from zoo.errors import ZooError, unknown

VERSION = 1  # raise it when the same options give other samples
Denoise = Callable[[Tensor, Tensor], Tensor]
Callback = Callable[[int, Tensor], None]  # (steps done, current estimate of x0)


class Step(NamedTuple):
    """From time t down to s: α and σ at both, each (1, 1, 1, 1); t is (N,)."""

    t: Tensor
    alpha_t: Tensor
    sigma_t: Tensor
    alpha_s: Tensor
    sigma_s: Tensor


@dataclass(frozen=True)
class Trajectory:
    """The steps from t = 1 to t = 0, and the noise that a sampler may put back on its way.

    Args:
        schedule: α and σ at any time.
        steps: how many.
        time_power: bends the times: u ↦ u^time_power for evenly spaced u, so that above 1 the steps near pure noise
            are the longer ones.
        generators: one an image, so that a result does not depend on its batch.
    """

    schedule: Schedule
    steps: int
    time_power: float = 1.0
    generators: Sequence[torch.Generator] = ()

    def of(self, x: Tensor) -> Iterator[Step]:
        """The steps of a batch x (N, …)."""
        times = torch.linspace(1, 0, self.steps + 1, device=x.device) ** self.time_power
        known = [(u.expand(len(x)), *self._at(u)) for u in times]
        for (t, alpha_t, sigma_t), (_, alpha_s, sigma_s) in itertools.pairwise(known):
            yield Step(t, alpha_t, sigma_t, alpha_s, sigma_s)

    def _at(self, u: Tensor) -> tuple[Tensor, Tensor]:
        u = u.view(1, 1, 1, 1)
        return self.schedule.alpha(u), self.schedule.sigma(u)


class Sampler(Protocol):
    """From x_T to x_0, both (N, C, h, w)."""

    def __call__(self, denoise: Denoise, x: Tensor, path: Trajectory) -> Tensor: ...


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
            raise ZooError(unknown("sampler", self.name, SAMPLERS))
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
        """Run the sampler of this name; ``callback`` hears of each x0, one a step."""
        count = itertools.count(1)

        def told(x: Tensor, t: Tensor) -> Tensor:
            x0 = denoise(x, t)
            if callback:
                callback(next(count), x0)
            return x0

        sampler = partial(ddim, eta=self.eta) if self.name == "ddim" else SAMPLERS[self.name]
        return sampler(told, x, Trajectory(schedule, self.steps, self.time_power, generators))


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


def ddpm(denoise: Denoise, x: Tensor, path: Trajectory) -> Tensor:
    """Ho et al. 2020, algorithm 2: ancestral sampling with the posterior's variance, which is DDIM at eta = 1."""
    return ddim(denoise, x, path, eta=1.0)


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


SAMPLERS: dict[str, Sampler] = {"ddim": ddim, "ddpm": ddpm, "deis": deis, "dpmpp_2m": dpmpp_2m}


def noise_like(x: Tensor, generators: Sequence[torch.Generator]) -> Tensor:
    """Standard normal noise (N, ...), the i-th image's from the i-th generator, drawn on the CPU."""
    if len(generators) != len(x):
        raise ValueError(f"{len(x)} images need as many generators, not {len(generators)}")
    return torch.stack([torch.randn(x.shape[1:], generator=g) for g in generators]).to(x)
