"""The checks of samplers, schedules and objectives: built-in ones keep them; what breaks one is told how."""

from __future__ import annotations

import sys
from typing import Any

import pytest
import torch
from torch import Tensor

import zoo
from support.conforming import broken
from zoo.conformance import assert_conforms
from zoo.objectives import Objective
from zoo.samplers import Trajectory
from zoo.schedules import Schedule
from zoo.schedules.cosine import Cosine

BUILT_IN = [
    *(("sampler", name) for name in zoo.list_samplers()),
    *(("schedule", name) for name in zoo.list_schedules()),
    *(("objective", name) for name in zoo.list_objectives()),
]


@pytest.mark.parametrize(("kind", "name"), BUILT_IN)
def test_what_is_built_in_keeps_its_contract(kind: str, name: str) -> None:
    assert_conforms(kind, name)


# samplers


def euler(denoise: Any, x: Tensor, path: Trajectory, *, more: int = 0) -> Tensor:
    """DDIM, sound; each of the others breaks a check."""
    for t, alpha_t, sigma_t, alpha_s, sigma_s in path.of(x):
        for _ in range(1 + more):
            x0 = denoise(x, t)
        x = alpha_s * x0 + sigma_s * (x - alpha_t * x0) / sigma_t
    return x


def asks_twice(denoise: Any, x: Tensor, path: Trajectory) -> Tensor:
    return euler(denoise, x, path, more=1)


def stops_early(denoise: Any, x: Tensor, path: Trajectory) -> Tensor:
    (first, *_) = path.of(x)
    return euler(denoise, x, path) + 0.1 * first.sigma_t


def forgets_the_noise(denoise: Any, x: Tensor, path: Trajectory) -> Tensor:
    return euler(denoise, 0.3 * x, path)


def draws_elsewhere(denoise: Any, x: Tensor, path: Trajectory) -> Tensor:
    return euler(denoise, torch.randn_like(x), path)


def draws_for_all_at_once(denoise: Any, x: Tensor, path: Trajectory) -> Tensor:
    return euler(denoise, torch.randn(x.shape, generator=path.generators[0]), path)


def writes_into_its_noise(denoise: Any, x: Tensor, path: Trajectory) -> Tensor:
    return euler(denoise, x.mul_(1.001), path)


def prints(denoise: Any, x: Tensor, path: Trajectory) -> Tensor:
    sys.stdout.write("sampling")
    return euler(denoise, x, path)


def test_a_sound_sampler_breaks_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert broken(monkeypatch, "sampler", euler) == {}


@pytest.mark.parametrize(
    ("sampler", "check", "how"),
    [
        (asks_twice, "asks once a step from noise to image", "it asks the network 12 times in 6 steps"),
        (stops_early, "ends where the network does", "they differ by up to 0.1"),
        (forgets_the_noise, "draws from the distribution in many steps", "samples of standard deviation 0.2 have 0.0"),
        (draws_elsewhere, "gives the same for the same seed", "draw noise from path.generators"),
        (draws_for_all_at_once, "samples each image by itself", "an image among others and by itself"),
        (writes_into_its_noise, "leaves its input as it was", "the noise before and after"),
        (prints, "prints nothing and sets no seed", "it prints 'sampling"),
    ],
)
def test_a_sampler_that_breaks_its_contract_is_told_how(
    monkeypatch: pytest.MonkeyPatch, sampler: Any, check: str, how: str
) -> None:
    assert how in broken(monkeypatch, "sampler", sampler)[check]


# schedules


class Bent(Cosine):
    def sigma(self, t: Tensor) -> Tensor:
        return t


class Rising(Cosine):
    def alpha(self, t: Tensor) -> Tensor:
        return torch.sin(t * torch.pi / 2)

    def sigma(self, t: Tensor) -> Tensor:
        return torch.cos(t * torch.pi / 2)


class Flat(Cosine):
    def alpha(self, t: Tensor) -> Tensor:
        return super().alpha(t).flatten()


class Late(Cosine):
    def time(self, t: Tensor) -> Tensor:
        return t / 2


class Doubled(Cosine):
    def alpha(self, t: Tensor) -> Tensor:
        return super().alpha(t).double()


class Stays(Cosine):
    def sigma(self, t: Tensor) -> Tensor:
        return super().sigma(torch.zeros(t.shape) if t.device.type == "meta" else t)


@pytest.mark.parametrize(
    ("schedule", "check", "how"),
    [
        (Bent, "keeps unit variance", "α² + σ² is off 1 by up to"),
        (Rising, "begins with the image and loses it", "at t = 0; sampling ends there"),
        (Flat, "gives finite numbers of the times shape", "alpha of times () is of shape (1,)"),
        (Doubled, "gives finite numbers of the times shape", "alpha is torch.float64"),
        (Late, "says which time it takes each for", "α and σ at time(t) and at t"),
        (Stays, "follows to another device", "it gives α or σ on cpu"),
    ],
)
def test_a_schedule_that_breaks_its_contract_is_told_how(
    monkeypatch: pytest.MonkeyPatch, schedule: type[Schedule], check: str, how: str
) -> None:
    assert how in broken(monkeypatch, "schedule", schedule)[check]


# objectives


class Doubt(Objective):
    """Sound: twice the noise. Each of the others breaks a check."""

    needs_signal = True

    def target(self, x0: Tensor, noise: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
        return 2 * noise

    def to_x0(self, prediction: Tensor, x_t: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
        return (x_t - sigma * prediction / 2) / alpha


class Wrong(Doubt):
    def to_x0(self, prediction: Tensor, x_t: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
        return (x_t - sigma * prediction) / alpha


class Needy(Doubt):
    needs_signal = False


class Curved(Doubt):
    def target(self, x0: Tensor, noise: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
        return noise**3

    def to_x0(self, prediction: Tensor, x_t: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
        return (x_t - sigma * prediction.sign() * prediction.abs() ** (1 / 3)) / alpha


class Weightless(Doubt):
    def weight(self, alpha: Tensor, sigma: Tensor) -> Tensor:
        return 1 / (sigma - sigma)


class Misjudged(Doubt):
    def error(self, snr: Tensor) -> Tensor:
        return snr


class Mean(Doubt):
    def target(self, x0: Tensor, noise: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
        return noise.mean(dim=1, keepdim=True)


def test_a_sound_objective_breaks_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert broken(monkeypatch, "objective", Doubt) == {}


@pytest.mark.parametrize(
    ("objective", "check", "how"),
    [
        (Mean, "gives a target of the image s shape", "is of shape (5, 1, 4, 6)"),
        (Wrong, "finds the image in a perfect prediction", "they differ by up to"),
        (Needy, "finds the image in a perfect prediction", "set needs_signal"),
        (Curved, "is linear in the prediction", "they differ by up to"),
        (Weightless, "weighs errors by the noise alone", "expected finite numbers"),
        (Misjudged, "knows what an error of the image is in its prediction", "they differ by up to"),
    ],
)
def test_an_objective_that_breaks_its_contract_is_told_how(
    monkeypatch: pytest.MonkeyPatch, objective: type[Objective], check: str, how: str
) -> None:
    assert how in broken(monkeypatch, "objective", objective)[check]
