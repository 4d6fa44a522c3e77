"""Checks of every schedule; see `zoo.schedules.Schedule`."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.conformance._tensors import demand_equal, demand_unobtrusive, elsewhere
from zoo.conformance.checks import Check, Moot, Subject, demand
from zoo.schedules import Schedule

TIMES = 201
ATOL = 1e-4


class ScheduleSubject(Subject):
    """A schedule to look at, at evenly spaced times."""

    def seen(self, t: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """α and σ."""
        schedule: Schedule = self.build()
        t = torch.linspace(0, 1, TIMES) if t is None else t
        return schedule.alpha(t), schedule.sigma(t)


def gives_finite_numbers_of_the_times_shape(subject: ScheduleSubject) -> None:
    for shape in ((), (5,), (3, 1, 1, 1)):
        for name, x in zip(("alpha", "sigma"), subject.seen(torch.full(shape, 0.3)), strict=True):
            demand(tuple(x.shape) == shape, f"{name} of times {shape} is of shape {tuple(x.shape)}")
            demand(x.dtype == torch.float32, f"{name} is {x.dtype}, not float32")
    demand(all(bool(x.isfinite().all()) for x in subject.seen()), "α or σ are not all finite in [0, 1]")


def keeps_unit_variance(subject: ScheduleSubject) -> None:
    alpha, sigma = subject.seen()
    if not alpha.any() and not sigma.any():
        raise Moot("it leaves nothing of the image at any time: that is regression")
    off = (alpha.square() + sigma.square() - 1).abs().max().item()
    demand(off < ATOL, f"α² + σ² is off 1 by up to {off:.3g}; divide both by its root")


def begins_with_the_image_and_loses_it(subject: ScheduleSubject) -> str:
    alpha, sigma = subject.seen()
    if not alpha.any() and not sigma.any():
        raise Moot("it is regression")
    demand(abs(alpha[0].item() - 1) < ATOL, f"α is {alpha[0]:.4g} at t = 0; sampling ends there, so it must be 1")
    rises = int((alpha.diff() > 1e-6).sum())
    demand(not rises, f"α rises at {rises} of {TIMES - 1} steps; it must fall with t")
    demand(alpha[-1].item() < alpha[0].item() - ATOL, "α is the same at t = 1 as at t = 0: nothing is learned")
    demand(bool((alpha >= 0).all() and (sigma >= 0).all()), "α or σ are negative")
    return f"α is {alpha[-1]:.3g} at t = 1"


def says_which_time_it_takes_each_for(subject: ScheduleSubject) -> None:
    schedule: Schedule = subject.build()
    t = torch.linspace(0, 1, TIMES)
    told = schedule.time(t)
    demand(told.shape == t.shape and bool(((told >= 0) & (told <= 1)).all()), "time() leaves [0, 1], or t's shape")
    demand_equal(subject.seen(told), subject.seen(t), "α and σ at time(t) and at t")
    demand_equal([schedule.time(told)], [told], "time(time(t)) and time(t)")


def gives_the_same_twice(subject: ScheduleSubject) -> None:
    demand_equal(subject.seen(), subject.seen(), "α and σ of two that are built alike", exactly=True)


def follows_to_another_device(subject: ScheduleSubject) -> str:
    device = elsewhere()
    stayed = [
        x.device.type for x in subject.seen(torch.linspace(0, 1, TIMES, device=device)) if x.device.type != device
    ]
    demand(not stayed, f"of times on {device} it gives α or σ on {' and '.join(sorted({*stayed}))}")
    return f"times on {device}"


def prints_nothing_and_sets_no_seed(subject: ScheduleSubject) -> None:
    demand_unobtrusive(lambda: subject.seen())


SUBJECT = ScheduleSubject
CHECKS: tuple[Check[ScheduleSubject], ...] = (
    gives_finite_numbers_of_the_times_shape,
    keeps_unit_variance,
    begins_with_the_image_and_loses_it,
    says_which_time_it_takes_each_for,
    gives_the_same_twice,
    follows_to_another_device,
    prints_nothing_and_sets_no_seed,
)
COSTS: tuple[Check[ScheduleSubject], ...] = ()
