"""Samplers: from noise to x0, along a trajectory. Every module here is the sampler of its name.

A sampler is a function that knows neither network nor conditioning::

    @zoo.register_sampler("mine")
    def mine(denoise, x, path, *, churn: float = 0.0):
        for t, alpha_t, sigma_t, alpha_s, sigma_s in path.of(x):
            x0 = denoise(x, t)
            x = ...
        return x

It takes ``denoise(x_t, t) → x0``, noise x_T (N, C, h, w) and a `Trajectory` of times, asks once a step for x0, and
gives x_0. Its keyword parameters are its options: ``sampler=mine sampler.churn=0.5``.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from zoo.schedules import Schedule

Denoise = Callable[[Tensor, Tensor], Tensor]


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


def noise_like(x: Tensor, generators: Sequence[torch.Generator]) -> Tensor:
    """Standard normal noise (N, ...), the i-th image's from the i-th generator, drawn on the CPU."""
    if len(generators) != len(x):
        raise ValueError(f"{len(x)} images need as many generators, not {len(generators)}")
    return torch.stack([torch.randn(x.shape[1:], generator=g) for g in generators]).to(x)
