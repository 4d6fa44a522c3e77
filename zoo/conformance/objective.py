"""Checks of every learning objective; see `zoo.objectives.Objective`."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from zoo.conformance._tensors import demand_equal, demand_unobtrusive, normal
from zoo.conformance.checks import Check, Subject, demand
from zoo.objectives import Objective

ANGLES = (0.01, 0.3, 0.8, 1.2, 1.5, math.pi / 2)  # α = cos, σ = sin; the last one has no signal
SHAPE = (len(ANGLES), 2, 4, 6)


class ObjectiveSubject(Subject):
    """An objective to look at, from almost no noise to nothing else."""

    def probe(self) -> None:
        self.objective()

    def objective(self) -> Objective:
        made: Objective = self.build()
        return made

    def levels(self) -> tuple[Tensor, Tensor]:
        """α and σ, (N, 1, 1, 1); the end without signal only for one that can do without."""
        angles = torch.tensor(ANGLES[:-1] if self.objective().needs_signal else ANGLES)[:, None, None, None]
        return torch.where(angles > 1.57, 0.0, angles.cos()), angles.sin()

    def seen(self) -> tuple[Tensor, ...]:
        """x0, noise, x_t, α and σ."""
        alpha, sigma = self.levels()
        x0, noise = (normal(*SHAPE, seed=seed)[: len(alpha)] for seed in (0, 1))
        return x0, noise, alpha * x0 + sigma * noise, alpha, sigma


def gives_a_target_of_the_image_s_shape(subject: ObjectiveSubject) -> None:
    x0, noise, _, alpha, sigma = subject.seen()
    target = subject.objective().target(x0, noise, alpha, sigma)
    demand(target.shape == x0.shape, f"target() of images {tuple(x0.shape)} is of shape {tuple(target.shape)}")
    demand(bool(target.isfinite().all()), "target() is not finite at every noise")


def finds_the_image_in_a_perfect_prediction(subject: ObjectiveSubject) -> None:
    x0, noise, x_t, alpha, sigma = subject.seen()
    objective = subject.objective()
    found = objective.to_x0(objective.target(x0, noise, alpha, sigma), x_t, alpha, sigma)
    otherwise = "to_x0() of the target and x0 itself"
    demand(bool(found.isfinite().all()), f"{otherwise}: not finite; set needs_signal if it divides by α")
    demand_equal([found], [x0], otherwise)


def is_linear_in_the_prediction(subject: ObjectiveSubject) -> None:
    _, _, x_t, alpha, sigma = subject.seen()
    objective, one, other = subject.objective(), normal(*x_t.shape, seed=2), normal(*x_t.shape, seed=3)
    whole = objective.to_x0((one + other) / 2, x_t, alpha, sigma)
    parts = (objective.to_x0(one, x_t, alpha, sigma) + objective.to_x0(other, x_t, alpha, sigma)) / 2
    demand_equal([whole], [parts], "to_x0() of a mean and the mean of two")


def weighs_errors_by_the_noise_alone(subject: ObjectiveSubject) -> str:
    alpha, sigma = (x.flatten() for x in subject.levels())
    weight = subject.objective().weight(alpha, sigma)
    demand(weight.shape == alpha.shape, f"weight() of {len(alpha)} images is of shape {tuple(weight.shape)}")
    good = bool(weight.isfinite().all() and (weight >= 0).all() and weight.any())
    demand(good, f"weight() gives {[round(w, 3) for w in weight.tolist()]}; expected finite numbers, not all 0")
    return f"{weight.min():.3g} to {weight.max():.3g}"


def knows_what_an_error_of_the_image_is_in_its_prediction(subject: ObjectiveSubject) -> None:
    x0, noise, x_t, alpha, sigma = subject.seen()
    inner = (alpha > 0.1).flatten() & (sigma > 0.1).flatten()
    objective, step = subject.objective(), 0.5
    said = objective.target(x0, noise, alpha, sigma)
    off = objective.to_x0(said + step, x_t, alpha, sigma) - objective.to_x0(said, x_t, alpha, sigma)
    found = (step**2 / off.square().mean(dim=(1, 2, 3)))[inner]
    told = objective.error((alpha / sigma).square().flatten())[inner]
    demand_equal([told], [found], "error(snr) and the squared error of a prediction over that of its x0")


def prints_nothing_and_sets_no_seed(subject: ObjectiveSubject) -> None:
    x0, noise, x_t, alpha, sigma = subject.seen()

    def run() -> None:
        objective = subject.objective()
        objective.to_x0(objective.target(x0, noise, alpha, sigma), x_t, alpha, sigma)
        objective.weight(alpha.flatten(), sigma.flatten())

    demand_unobtrusive(run)


SUBJECT = ObjectiveSubject
CHECKS: tuple[Check[ObjectiveSubject], ...] = (
    gives_a_target_of_the_image_s_shape,
    finds_the_image_in_a_perfect_prediction,
    is_linear_in_the_prediction,
    weighs_errors_by_the_noise_alone,
    knows_what_an_error_of_the_image_is_in_its_prediction,
    prints_nothing_and_sets_no_seed,
)
COSTS: tuple[Check[ObjectiveSubject], ...] = ()
