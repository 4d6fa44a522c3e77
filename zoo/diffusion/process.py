"""The process and the loss. x_t = α(t)·x0 + σ(t)·noise, t in [0, 1], by a schedule; an objective says what is learned.

Without a schedule there is nothing to take off: the network is told only L and says x0 at once. That is plain
regression, the baseline of every diffusion model.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from zoo.diffusion.named import Named, create, in_full, name_of
from zoo.errors import ZooError
from zoo.objectives import Objective
from zoo.registry import objectives, schedules
from zoo.schedules import Schedule


@dataclass(frozen=True)
class Diffusion:
    """What the network predicts, at which noise, and how errors are weighed.

    Args:
        parameterisation: a registered objective: ``"v"``, ``"eps"``, ``"x0"``, ``"flow"``, or one with options,
            ``{"name": ..., **options}``.
        schedule: the same of a schedule: ``"cosine"``, ``"linear"``, ``"flow"``, or ``"none"``: regression of x0 by L2,
            one evaluation instead of sampling.
        loss_weight: ``"uniform"``, which is the objective's own, or ``"min_snr"`` (Hang et al. 2023, γ = 5).
        T: steps of schedules that take it, as linear does.
        times: how t is drawn in training: ``"logit_normal"`` (Esser et al. 2024), the sigmoid of a normal variable, or
            ``"uniform"`` (docs/samplers.md compares them).
        times_mean: of that variable; above 0 there is more training near pure noise.
        times_scale: its standard deviation.
    """

    parameterisation: Named = "v"
    schedule: Named = "cosine"
    loss_weight: str = "uniform"
    T: int = 1000
    times: str = "logit_normal"
    times_mean: float = 1.5
    times_scale: float = 1.5

    def __post_init__(self) -> None:
        choices = {"loss_weight": ("uniform", "min_snr"), "times": ("uniform", "logit_normal")}
        for field, allowed in choices.items():
            if getattr(self, field) not in allowed:
                raise ZooError(f"{field} must be one of {', '.join(allowed)}, not {getattr(self, field)!r}")
        if self.T < 1:
            raise ZooError(f"T must be at least 1, not {self.T}")
        if not (math.isfinite(self.times_mean) and 0 < self.times_scale < math.inf):
            raise ZooError(
                f"times_mean must be a number and times_scale one above 0, not {self.times_mean} and {self.times_scale}"
            )
        blank = self.noise_schedule.alpha(torch.ones(1, device="cpu")).item() == 0  # at the end
        if self.objective.needs_signal and blank and not self.regression:
            said, schedule = name_of(self.parameterisation), name_of(self.schedule)
            raise ZooError(
                f"parameterisation: {said} cannot be had where the {schedule} schedule has no signal; use v or x0"
            )
        if self.regression and (self.parameterisation, self.loss_weight) != ("x0", "uniform"):
            raise ZooError("schedule: none is regression: x0, with uniform weights; use method=regression")

    @property
    def regression(self) -> bool:
        """Whether x0 is said at once, and not sampled."""
        return name_of(self.schedule) == "none"

    def in_use(self) -> dict[str, Any]:
        """Its options but for those that nothing reads: two that agree in these are one."""
        read = {"parameterisation", "schedule", "loss_weight"}
        if not self.regression:
            read |= {"times"} | ({"times_mean", "times_scale"} if self.times == "logit_normal" else set())
        if "T" in schedules.options(name_of(self.schedule)):
            read.add("T")
        named = {
            "parameterisation": in_full(objectives, self.parameterisation),
            "schedule": in_full(schedules, self.schedule, beside={"T"}),
        }
        return {name: value for name, value in (asdict(self) | named).items() if name in read}

    @cached_property
    def noise_schedule(self) -> Schedule:
        return create(schedules, self.schedule, "schedule", {"T": self.T})

    @cached_property
    def objective(self) -> Objective:
        return create(objectives, self.parameterisation, "parameterisation")

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
        return self.objective.target(x0, noise, *self._at(t))

    def to_x0(self, prediction: Tensor, x_t: Tensor, t: Tensor) -> Tensor:
        """x0 from what the network said."""
        return self.objective.to_x0(prediction, x_t, *self._at(t))

    def loss(self, prediction: Tensor, x0: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """Weighted mean squared error of the prediction, a scalar."""
        error = (prediction.float() - self.target(x0, noise, t)).square().mean(dim=(1, 2, 3))
        return (self.weight(t) * error).mean()

    def weight(self, t: Tensor) -> Tensor:
        """Weight of each image's error, (N,)."""
        alpha, sigma = self.noise_schedule.alpha(t), self.noise_schedule.sigma(t)
        if self.loss_weight == "uniform":
            return self.objective.weight(alpha, sigma)
        snr = (alpha / sigma.clamp_min(1e-4)).square()
        return snr.clamp_max(5.0) / self.objective.error(snr).clamp_min(1e-8)

    def _at(self, t: Tensor) -> tuple[Tensor, Tensor]:
        t = t[:, None, None, None]
        return self.noise_schedule.alpha(t), self.noise_schedule.sigma(t)
