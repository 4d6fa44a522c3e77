"""How a network is asked when colours are sampled from it: at which times, with which context, in which units."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor

from support.opened import normal
from zoo.diffusion.chroma import ChromaSampler
from zoo.diffusion.process import Diffusion
from zoo.diffusion.samplers import SamplerConfig

MEAN, STD = torch.tensor([0.1, -0.2])[:, None, None], torch.tensor([0.3, 0.2])[:, None, None]
REGRESSION = Diffusion("x0", "none")
CONTEXT, NULL = (torch.ones(2, 1, 1, 1),), (torch.zeros(2, 1, 1, 1),)


@dataclass
class Network:
    """Says its context, everywhere; remembers what it was asked."""

    times: list[float] = field(default_factory=list)
    inputs: list[Tensor] = field(default_factory=list)
    contexts: list[float] = field(default_factory=list)

    def __call__(self, x: Tensor, L: Tensor, t: Tensor, context: tuple[Tensor, ...]) -> Tensor:
        self.times.append(t[0].item())
        self.inputs.append(x)
        self.contexts.append(context[0].mean().item())
        return context[0].expand_as(x)


def sampled(network: Network, diffusion: Diffusion, **options: float) -> Tensor:
    sample = ChromaSampler(network, diffusion, MEAN, STD, 2)
    generators = [torch.Generator().manual_seed(i) for i in range(2)]
    return sample(
        normal(2, 1, 8, 8), CONTEXT, NULL, SamplerConfig(**{"steps": 4, "time_power": 1.0, **options}), generators
    )


def test_a_regression_is_asked_once_of_nothing_and_at_the_time_it_was_trained_at() -> None:
    network = Network()
    sampled(network, REGRESSION)
    assert network.times == [REGRESSION.time(torch.rand(1)).item()] == [1.0]
    assert network.inputs[0].abs().max() == 0


def test_a_diffusion_is_asked_from_noise_down() -> None:
    network = Network()
    sampled(network, Diffusion("x0", "cosine"))
    assert network.times == [1.0, 0.75, 0.5, 0.25]
    assert network.inputs[0].std() == pytest.approx(1, abs=0.2)


def test_a_network_is_told_the_times_that_its_schedule_has() -> None:
    network = Network()
    sampled(network, Diffusion("x0", "linear", T=3))  # 1, 3/4, 1/2 and 1/4, rounded up to thirds
    assert network.times == pytest.approx([1, 1, 2 / 3, 1 / 3])


@pytest.mark.parametrize("diffusion", [REGRESSION, Diffusion("x0", "cosine")])
def test_what_is_said_is_put_back_into_units_of_ab(diffusion: Diffusion) -> None:
    ab = sampled(Network(), diffusion)
    expected = (2 * STD + MEAN).expand(2, 2, 8, 8)  # x0 = 1
    torch.testing.assert_close(ab, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("guidance", [0.0, 0.5, 1.0, 3.0])
def test_guidance_goes_on_from_the_null_through_what_is_said(guidance: float) -> None:
    network = Network()
    ab = sampled(network, REGRESSION, guidance=guidance)  # the null says 0, the context 1
    torch.testing.assert_close(ab, (guidance * 2 * STD + MEAN).expand(2, 2, 8, 8), rtol=0, atol=1e-5)
    assert network.contexts == ([1.0] if guidance == 1 else [1.0, 0.0])


def test_dynamic_thresholding_acts_on_what_is_said() -> None:
    ab = sampled(Network(), REGRESSION, guidance=3.0, dynamic_threshold=1.0)  # 3 is pulled in to 1
    torch.testing.assert_close(ab, (2 * STD + MEAN).expand(2, 2, 8, 8), rtol=0, atol=1e-5)
