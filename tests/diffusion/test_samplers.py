"""Samplers on a distribution whose best denoiser is known: a Gaussian."""

from pathlib import Path

import pytest
import torch
import yaml
from torch import Tensor

from zoo.diffusion.samplers import SamplerConfig
from zoo.errors import ZooError
from zoo.registry import samplers
from zoo.samplers import Trajectory, noise_like
from zoo.schedules.cosine import Cosine
from zoo.schedules.linear import Linear

ROOT = Path(__file__).parents[2]
MEAN, STD = 0.5, 0.2
CONFIGS = {
    path.stem: SamplerConfig(**yaml.safe_load(path.read_text())) for path in (ROOT / "configs/sampler").iterdir()
}


def ideal(schedule: Cosine | Linear, std: float = STD):
    def denoise(x: Tensor, t: Tensor) -> Tensor:
        alpha, sigma = (f(t)[:, None, None, None] for f in (schedule.alpha, schedule.sigma))
        return MEAN + alpha * std**2 / (alpha**2 * std**2 + sigma**2) * (x - alpha * MEAN)

    return denoise


def generators(n: int, seed: int = 0) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed * 1000 + i) for i in range(n)]


def sample(name: str, steps: int, schedule: Cosine | Linear, n: int = 8, **options: float) -> Tensor:
    rngs = generators(n)
    x = noise_like(torch.empty(n, 2, 24, 24), rngs)
    return SamplerConfig(name, steps, **options)(ideal(schedule), x, schedule, generators=rngs)


@pytest.mark.parametrize("name", samplers.list())
def test_every_sampler_draws_from_a_gaussian(name: str) -> None:
    x = sample(name, 100, Cosine())
    assert x.mean().item() == pytest.approx(MEAN, abs=0.01)
    assert x.std().item() == pytest.approx(STD, rel=0.1)  # ancestral sampling is a little narrow at 100 steps


@pytest.mark.parametrize("std", [0.5, 0.2])  # 0.5 is that of all normalised chroma; that of one photo's is less
@pytest.mark.parametrize("name", CONFIGS)
def test_the_default_steps_of_every_sampler_keep_the_spread_of_a_gaussian(name: str, std: float) -> None:
    rngs = generators(4)
    x = noise_like(torch.empty(4, 2, 32, 32), rngs)
    found = CONFIGS[name](ideal(Cosine(), std), x, Cosine(), generators=rngs)
    assert 0.97 <= (found.std() / (std * x.std())).item() <= 1.05
    assert found.mean().item() == pytest.approx(MEAN, abs=0.02)


def test_what_samples_by_default_is_what_the_configuration_says() -> None:
    assert SamplerConfig() == CONFIGS["deis"]


def test_the_third_order_sampler_comes_to_the_same_as_many_small_steps() -> None:
    exact = sample("ddim", 1000, Cosine())
    assert (sample("deis", 40, Cosine()) - exact).abs().mean() < 0.002


def test_the_third_order_sampler_can_have_more_steps_than_a_schedule() -> None:
    assert sample("deis", 20, Linear(8)).isfinite().all()


def test_ancestral_sampling_of_the_original_draws_from_a_gaussian() -> None:
    x = sample("ddpm", 350, Linear(350), n=4, time_power=1.0)
    assert x.std().item() == pytest.approx(STD, rel=0.05)


def test_the_second_order_sampler_is_closer_at_few_steps() -> None:
    schedule = Cosine()
    exact = sample("ddim", 1000, schedule)
    error = {name: (sample(name, 20, schedule) - exact).abs().mean() for name in ("ddim", "dpmpp_2m")}
    assert error["dpmpp_2m"] < 0.5 * error["ddim"]


@pytest.mark.parametrize("name", samplers.list())
def test_a_sample_does_not_depend_on_its_batch(name: str) -> None:
    schedule = Cosine()
    rngs = generators(3)
    x = noise_like(torch.empty(3, 2, 4, 4), rngs)
    together = samplers.get(name)(ideal(schedule), x, Trajectory(schedule, 5, generators=rngs))
    rngs = generators(3)[2:]
    x = noise_like(torch.empty(1, 2, 4, 4), rngs)
    alone = samplers.get(name)(ideal(schedule), x, Trajectory(schedule, 5, generators=rngs))
    torch.testing.assert_close(alone[0], together[2], atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("name", samplers.list())
def test_the_network_is_called_once_per_step_and_the_callback_hears_of_what_it_said(name: str) -> None:
    calls, seen, said = [], [], []
    denoise = ideal(Cosine())

    def counting(x: Tensor, t: Tensor) -> Tensor:
        calls.append(t[0].item())
        said.append(denoise(x, t))
        return said[-1]

    config, rngs = SamplerConfig(name, 4, time_power=1.0), generators(1)
    config(counting, torch.randn(1, 2, 4, 4), Cosine(), generators=rngs, callback=lambda i, x0: seen.append((i, x0)))
    assert calls == [1.0, 0.75, 0.5, 0.25]
    assert seen == list(enumerate(said, start=1))


def test_a_trajectory_leads_without_gaps_from_noise_to_the_image() -> None:
    steps = list(Trajectory(Cosine(), 5, time_power=1.5).of(torch.empty(3, 2, 4, 4)))
    assert [step.t.tolist() for step in (steps[0], steps[3])] == [[1.0] * 3, [pytest.approx(0.4**1.5)] * 3]
    assert [(float(a.alpha_s), float(a.sigma_s)) for a in steps[:-1]] == [
        (float(b.alpha_t), float(b.sigma_t)) for b in steps[1:]
    ]
    assert (steps[0].alpha_t, steps[-1].sigma_s) == (0, 0)


def test_bent_times_still_draw_from_the_gaussian() -> None:
    x = sample("ddim", 100, Cosine(), time_power=2.5)
    assert x.mean().item() == pytest.approx(MEAN, abs=0.01)
    assert x.std().item() == pytest.approx(STD, rel=0.1)


def test_a_time_power_above_one_lengthens_the_first_steps() -> None:
    calls = []

    def denoise(x: Tensor, t: Tensor) -> Tensor:
        calls.append(t[0].item())
        return x

    SamplerConfig("ddim", 4, time_power=2.0)(denoise, torch.randn(1, 2, 4, 4), Cosine())
    assert calls == [1.0, 0.5625, 0.25, 0.0625]


def test_one_step_is_the_denoiser_itself() -> None:
    x = torch.randn(2, 2, 4, 4)
    expected = ideal(Cosine())(x, torch.ones(2))
    for name in ("ddim", "deis", "dpmpp_2m"):
        torch.testing.assert_close(samplers.get(name)(ideal(Cosine()), x, Trajectory(Cosine(), 1)), expected)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"name": "dddim"}, "did you mean 'ddim'"),
        ({"steps": 0}, "at least 1"),
        ({"name": "ddpm", "eta": 0.5}, "ddpm does not"),
        ({"name": "ddim", "eta": 1.5}, r"\[0, 1\]"),
        ({"time_power": 0.0}, "greater than 0"),
        ({"dynamic_threshold": 0.0}, r"\(0, 1\]"),
    ],
)
def test_impossible_samplers_are_refused(options: dict, said: str) -> None:
    with pytest.raises(ZooError, match=said):
        SamplerConfig(**options)
