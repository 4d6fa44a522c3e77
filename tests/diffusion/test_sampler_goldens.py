"""What each sampler makes of a fixed denoiser, to the digit. `support.golden` says what to do when one changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from support.golden import Golden
from support.opened import normal
from zoo.diffusion.chroma import ChromaSampler
from zoo.diffusion.process import Diffusion
from zoo.diffusion.samplers import SamplerConfig
from zoo.registry import samplers
from zoo.samplers import noise_like
from zoo.schedules.cosine import Cosine
from zoo.schedules.linear import Linear

GOLDEN = Golden(Path(__file__).with_name("golden_samples.json"), rel=1e-4, absolute=1e-5)
N = 2
SCHEDULES = {"cosine": Cosine(), "linear": Linear(350)}
SETTINGS: dict[str, dict[str, Any]] = {name: {"name": name, "time_power": 1.0} for name in samplers.list()} | {
    "ddim, eta": {"name": "ddim", "eta": 0.5, "time_power": 1.0},
    "ddim, bent times": {"name": "ddim", "time_power": 2.5},
    "deis, bent times": {"name": "deis", "time_power": 2.5},
    "dpmpp_2m, bent times": {"name": "dpmpp_2m", "time_power": 1.5},
}
DIFFUSIONS = {
    "v": Diffusion("v", "cosine"),
    "x0": Diffusion("x0", "cosine"),
    "eps": Diffusion("eps", "linear", T=350),
    "regression": Diffusion("x0", "none"),
}


def bent(x: Tensor, t: Tensor) -> Tensor:
    """Depends on x and t, and not linearly: no sampler is exact."""
    t = t[:, None, None, None]
    return torch.tanh(x * (1.3 - t)) + 0.3 * t * x.flip(-1) - 0.2


def numbers(x: Tensor) -> list[float]:
    """Mean and deviation of each image and channel, and a few pixels."""
    return [*x.mean(dim=(2, 3)).flatten().tolist(), *x.std(dim=(2, 3)).flatten().tolist(), *x[:, 0, 1, :3].flatten()]


def generators() -> list[torch.Generator]:
    return [torch.Generator().manual_seed(i) for i in range(N)]


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("setting", SETTINGS)
def test_a_sampler_gives_what_it_gave(setting: str, schedule: str) -> None:
    rngs = generators()
    x = noise_like(torch.empty(N, 2, 6, 6), rngs)
    found = SamplerConfig(steps=6, **SETTINGS[setting])(bent, x, SCHEDULES[schedule], generators=rngs)
    GOLDEN.check(f"{setting}, {schedule}", [float(x) for x in numbers(found)])


@pytest.mark.parametrize("diffusion", DIFFUSIONS)
def test_chroma_is_what_it_was(diffusion: str) -> None:
    def predict(x: Tensor, L: Tensor, t: Tensor, context: tuple[Tensor, ...]) -> Tensor:
        return bent(x, t) + 0.5 * torch.nn.functional.avg_pool2d(L, 2) + context[0]

    mean, std = torch.tensor([0.1, -0.2])[:, None, None], torch.tensor([0.3, 0.2])[:, None, None]
    sample = ChromaSampler(predict, DIFFUSIONS[diffusion], mean, std, 2)
    context, null = (normal(N, 2, 6, 6, seed=1),), (torch.zeros(N, 2, 6, 6),)
    config = SamplerConfig("ddim", 4, guidance=1.7, time_power=1.0, dynamic_threshold=0.95)
    ab = sample(0.5 * normal(N, 1, 12, 12), context, null, config, generators())
    GOLDEN.check(f"chroma, {diffusion}", [float(x) for x in numbers(ab)])


def test_the_table_holds_no_case_that_is_not_tested() -> None:
    samplers = {f"{setting}, {schedule}" for setting in SETTINGS for schedule in SCHEDULES}
    assert GOLDEN.cases() == samplers | {f"chroma, {diffusion}" for diffusion in DIFFUSIONS}
