"""Checks of every sampler; see `zoo.samplers`. The data is a Gaussian, whose best denoiser is known."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.conformance._tensors import demand_equal, demand_unobtrusive
from zoo.conformance.checks import Check, Subject, demand
from zoo.samplers import Denoise, Trajectory, noise_like
from zoo.schedules import Schedule
from zoo.schedules.cosine import Cosine
from zoo.schedules.linear import Linear

MEAN, STD = 0.5, 0.2
N, SIDE, STEPS, MANY = 3, 24, 6, 60


class SamplerSubject(Subject):
    """A sampler to look at."""

    def sampled(
        self,
        denoise: Denoise | None = None,
        *,
        n: int = N,
        steps: int = STEPS,
        schedule: Schedule | None = None,
        first: int = 0,
    ) -> Tensor:
        """``n`` samples; the noise of each follows from its number, which is ``first`` for the first."""
        schedule = schedule or Cosine()
        rngs = [torch.Generator().manual_seed(first + i) for i in range(n)]
        x = noise_like(torch.empty(n, 2, SIDE, SIDE), rngs)
        sampler = self.build()
        found: Tensor = sampler(denoise or _best(schedule), x, Trajectory(schedule, steps, generators=rngs))
        return found


def gives_finite_images_of_the_noise_s_shape(subject: SamplerSubject) -> None:
    for schedule in (Cosine(), Linear(100)):
        for steps in (1, 2, STEPS):
            x, told = subject.sampled(steps=steps, schedule=schedule), f"in {steps} steps of {type(schedule).__name__}"
            demand(tuple(x.shape) == (N, 2, SIDE, SIDE), f"{told} it gives {tuple(x.shape)}")
            demand(bool(x.isfinite().all()), f"{told} it gives numbers that are not finite")


def asks_once_a_step_from_noise_to_image(subject: SamplerSubject) -> None:
    best, asked = _best(Cosine()), []

    def denoise(x: Tensor, t: Tensor) -> Tensor:
        demand(tuple(t.shape) == (N,), f"it asks at times of shape {tuple(t.shape)}, not ({N},)")
        asked.append(t[0].item())
        return best(x, t)

    subject.sampled(denoise)
    demand(len(asked) == STEPS, f"it asks the network {len(asked)} times in {STEPS} steps")
    demand(asked[0] == 1, f"it first asks at t = {asked[0]:.3g}, not at 1, where there is only noise")
    demand(asked == sorted(asked, reverse=True), "the times at which it asks do not fall")


def ends_where_the_network_does(subject: SamplerSubject) -> None:
    x0 = torch.linspace(-1, 1, 2 * SIDE * SIDE).view(1, 2, SIDE, SIDE).expand(N, -1, -1, -1)
    demand_equal([subject.sampled(lambda x, t: x0)], [x0], "samples, where the network always says x0, and x0")


def draws_from_the_distribution_in_many_steps(subject: SamplerSubject) -> str:
    x = subject.sampled(steps=MANY)
    mean, std = x.mean().item(), x.std().item()
    demand(abs(mean - MEAN) < 0.05, f"samples of mean {MEAN} have mean {mean:.3f} in {MANY} steps")
    demand(abs(std / STD - 1) < 0.2, f"samples of standard deviation {STD} have {std:.3f} in {MANY} steps")
    return f"{std / STD:.2f} of the standard deviation in {MANY} steps"


def gives_the_same_for_the_same_seed(subject: SamplerSubject) -> None:
    found = [subject.sampled() for _ in range(2)]
    demand_equal(found[:1], found[1:], "samples of the same generators; draw noise from path.generators", exactly=True)


def samples_each_image_by_itself(subject: SamplerSubject) -> None:
    demand_equal([subject.sampled()[1:2]], [subject.sampled(n=1, first=1)], "an image among others and by itself")


def leaves_its_input_as_it_was(subject: SamplerSubject) -> None:
    x = noise_like(torch.empty(1, 2, SIDE, SIDE), [torch.Generator().manual_seed(0)])
    before = x.clone()
    path = Trajectory(Cosine(), STEPS, generators=[torch.Generator().manual_seed(0)])
    subject.build()(_best(Cosine()), x, path)
    demand_equal([x], [before], "the noise before and after", exactly=True)


def prints_nothing_and_sets_no_seed(subject: SamplerSubject) -> None:
    demand_unobtrusive(lambda: subject.sampled(steps=2))


SUBJECT = SamplerSubject
CHECKS: tuple[Check[SamplerSubject], ...] = (
    gives_finite_images_of_the_noise_s_shape,
    asks_once_a_step_from_noise_to_image,
    ends_where_the_network_does,
    draws_from_the_distribution_in_many_steps,
    gives_the_same_for_the_same_seed,
    samples_each_image_by_itself,
    leaves_its_input_as_it_was,
    prints_nothing_and_sets_no_seed,
)
COSTS: tuple[Check[SamplerSubject], ...] = ()


def _best(schedule: Schedule) -> Denoise:
    """E[x0 | x_t] of a Gaussian."""

    def denoise(x: Tensor, t: Tensor) -> Tensor:
        alpha, sigma = (f(t)[:, None, None, None] for f in (schedule.alpha, schedule.sigma))
        return MEAN + alpha * STD**2 / (alpha**2 * STD**2 + sigma**2) * (x - alpha * MEAN)

    return denoise
