"""Noise schedules, parameterisations and the loss. x_t = α(t)·x0 + σ(t)·noise, t in [0, 1].

Without a schedule there is nothing to take off: the network is told only L and says x0 at once. That is plain
regression, the baseline of every diffusion model.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Protocol

import torch
from torch import Tensor

from zoo.errors import ZooError


class Schedule(Protocol):
    """α and σ at times t of any shape; α² + σ² = 1. ``time``: that of the times there are whose α and σ t gets."""

    def time(self, t: Tensor) -> Tensor: ...
    def alpha(self, t: Tensor) -> Tensor: ...
    def sigma(self, t: Tensor) -> Tensor: ...


class Cosine:
    """α = cos(πt/2), σ = sin(πt/2): zero terminal SNR (Lin et al. 2024), so sampling starts where training ends."""

    def time(self, t: Tensor) -> Tensor:
        return t

    def alpha(self, t: Tensor) -> Tensor:
        return torch.where(t >= 1, 0.0, torch.cos(t * (math.pi / 2)))

    def sigma(self, t: Tensor) -> Tensor:
        return torch.sin(t * (math.pi / 2))


class Linear:
    """The discrete schedule of DDPM (Ho et al. 2020): T steps, β from 1e-4 to 0.02; t is rounded up to k/T."""

    def __init__(self, T: int = 1000) -> None:
        self.T = T

    def time(self, t: Tensor) -> Tensor:
        return self._step(t) / self.T

    def alpha(self, t: Tensor) -> Tensor:
        return self._alpha_bar(t).sqrt()

    def sigma(self, t: Tensor) -> Tensor:
        return (1 - self._alpha_bar(t)).sqrt()

    def _alpha_bar(self, t: Tensor) -> Tensor:
        return self._table.to(t.device)[self._step(t)]

    def _step(self, t: Tensor) -> Tensor:
        return torch.ceil(t * self.T - 1e-3).long().clamp(0, self.T)  # 1e-3: k/T·T may round up past k

    @cached_property
    def _table(self) -> Tensor:
        beta = torch.linspace(1e-4, 0.02, self.T, dtype=torch.float64)
        return torch.cat([torch.ones(1, dtype=torch.float64), torch.cumprod(1 - beta, 0)]).float()


class Blank:
    """α = σ = 0: x_t is 0 and tells nothing of x0."""

    def time(self, t: Tensor) -> Tensor:
        return torch.ones_like(t)

    def alpha(self, t: Tensor) -> Tensor:
        return torch.zeros_like(t)

    def sigma(self, t: Tensor) -> Tensor:
        return torch.zeros_like(t)


@dataclass(frozen=True)
class Diffusion:
    """What the network predicts, at which noise, and how errors are weighed.

    Args:
        parameterisation: ``"v"`` (Salimans & Ho 2022), ``"eps"`` or ``"x0"``.
        schedule: ``"cosine"``, ``"linear"``, or ``"none"``: regression of x0 by L2, one evaluation instead of sampling.
        loss_weight: ``"uniform"`` or ``"min_snr"`` (Hang et al. 2023, γ = 5).
        T: steps of the linear schedule.
        times: how t is drawn in training: ``"uniform"``, or ``"logit_normal"`` (Esser et al. 2024): the sigmoid of a
            normal variable.
        times_mean: of that variable; above 0 there is more training near pure noise.
        times_scale: its standard deviation.
    """

    parameterisation: str = "v"
    schedule: str = "cosine"
    loss_weight: str = "uniform"
    T: int = 1000
    times: str = "uniform"
    times_mean: float = 1.0
    times_scale: float = 1.0

    def __post_init__(self) -> None:
        choices = {
            "parameterisation": ("v", "eps", "x0"),
            "schedule": ("cosine", "linear", "none"),
            "loss_weight": ("uniform", "min_snr"),
            "times": ("uniform", "logit_normal"),
        }
        for field, allowed in choices.items():
            if getattr(self, field) not in allowed:
                raise ZooError(f"{field} must be one of {', '.join(allowed)}, not {getattr(self, field)!r}")
        if self.T < 1:
            raise ZooError(f"T must be at least 1, not {self.T}")
        if not (math.isfinite(self.times_mean) and 0 < self.times_scale < math.inf):
            raise ZooError(
                f"times_mean must be a number and times_scale one above 0, not {self.times_mean} and {self.times_scale}"
            )
        if self.parameterisation == "eps" and self.schedule == "cosine":
            raise ZooError("parameterisation: eps cannot be had where the cosine schedule has no signal; use v or x0")
        if self.regression and (self.parameterisation, self.loss_weight) != ("x0", "uniform"):
            raise ZooError("schedule: none is regression: x0, with uniform weights; use method=regression")

    @property
    def regression(self) -> bool:
        """Whether x0 is said at once, and not sampled."""
        return self.schedule == "none"

    def in_use(self) -> dict[str, Any]:
        """Its options but for those that nothing reads: two that agree in these are one."""
        read = {"parameterisation", "schedule", "loss_weight"}
        if not self.regression:
            read |= {"times"} | ({"times_mean", "times_scale"} if self.times == "logit_normal" else set())
        if self.schedule == "linear":
            read.add("T")
        return {name: value for name, value in asdict(self).items() if name in read}

    @cached_property
    def noise_schedule(self) -> Schedule:
        if self.regression:
            return Blank()
        return Cosine() if self.schedule == "cosine" else Linear(self.T)

    def draw_times(self, n: int, generator: torch.Generator) -> Tensor:
        """(n,) times of training in (0, 1], one in each n-th part of their distribution, in random order: less variance
        than n free draws (Kingma et al. 2021). Both distributions take the same random numbers."""
        offset = torch.rand((), generator=generator)
        u = 1 - (torch.randperm(n, generator=generator) + offset) / n
        if self.times == "uniform":
            return u
        return torch.sigmoid(self.times_mean + self.times_scale * torch.special.ndtri(u))

    def time(self, t: Tensor) -> Tensor:
        """The times that there are, (N,): ``t``, with the linear schedule rounded to one of its steps, with
        `regression` the last. The network is told these, so that it knows what noise it sees."""
        return self.noise_schedule.time(t)

    def noisy(self, x0: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """x_t (N, C, h, w) for t (N,)."""
        alpha, sigma = self._at(t)
        return alpha * x0 + sigma * noise

    def target(self, x0: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """What the network should say."""
        if self.parameterisation == "v":
            alpha, sigma = self._at(t)
            return alpha * noise - sigma * x0
        return noise if self.parameterisation == "eps" else x0

    def to_x0(self, prediction: Tensor, x_t: Tensor, t: Tensor) -> Tensor:
        """x0 from what the network said."""
        alpha, sigma = self._at(t)
        if self.parameterisation == "v":
            return alpha * x_t - sigma * prediction
        return (x_t - sigma * prediction) / alpha if self.parameterisation == "eps" else prediction

    def loss(self, prediction: Tensor, x0: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """Weighted mean squared error of the prediction, a scalar."""
        error = (prediction.float() - self.target(x0, noise, t)).square().mean(dim=(1, 2, 3))
        return (self.weight(t) * error).mean()

    def weight(self, t: Tensor) -> Tensor:
        """Weight of each image's error, (N,)."""
        if self.loss_weight == "uniform":
            return torch.ones_like(t)
        alpha, sigma = self.noise_schedule.alpha(t), self.noise_schedule.sigma(t)
        snr = (alpha / sigma.clamp_min(1e-4)).square()
        over = {"v": snr + 1, "eps": snr, "x0": torch.ones_like(snr)}[self.parameterisation]
        return snr.clamp_max(5.0) / over.clamp_min(1e-8)

    def _at(self, t: Tensor) -> tuple[Tensor, Tensor]:
        t = t[:, None, None, None]
        return self.noise_schedule.alpha(t), self.noise_schedule.sigma(t)
