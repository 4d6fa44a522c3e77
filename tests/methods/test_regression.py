"""The baseline without diffusion: the same network, told nothing but L, says ab at once."""

from __future__ import annotations

from typing import Any

import torch

from support.models import tiny_model
from zoo.diffusion.samplers import SamplerConfig
from zoo.model import ColorDiffusion

REGRESSION = {"parameterisation": "x0", "schedule": "none"}


def regressor() -> ColorDiffusion:
    model = tiny_model("unet", "concat", diffusion=REGRESSION)
    torch.nn.init.normal_(model.denoiser.conv_out[-1].weight, std=0.1)  # it starts at 0
    return model


def batch(n: int = 4) -> dict[str, Any]:
    rng = torch.Generator().manual_seed(0)
    return {
        "L": torch.rand(n, 1, 16, 16, generator=rng) * 2 - 1,
        "ab": torch.rand(n, 2, 16, 16, generator=rng) - 0.5,
        "t": torch.rand(n, generator=rng),
        "noise": torch.randn(n, 2, 4, 4, generator=rng),
        "dropped": torch.zeros(n, dtype=torch.bool),
    }


def test_its_loss_is_the_squared_error_of_chroma_whatever_time_and_noise_were_drawn() -> None:
    model, given = regressor(), batch()
    loss = model(**given)
    other = model(**given | {"t": torch.ones(4), "noise": torch.zeros(4, 2, 4, 4)})
    assert torch.equal(loss, other)
    x0 = (torch.nn.functional.avg_pool2d(given["ab"], 4) - model.ab_mean) / (2 * model.ab_std)
    context = model.context(model.encode(given["L"]), given["L"])
    said = model.predict(torch.zeros_like(x0), given["L"], torch.ones(4), context)
    torch.testing.assert_close(loss, (said - x0).square().mean())


def test_it_colors_in_one_evaluation_and_every_sample_is_the_same() -> None:
    model, L = regressor(), batch()["L"]
    calls: list[int] = []
    model.denoiser.register_forward_hook(lambda *_: calls.append(1))
    features = model.encode(L)
    one, two = (
        model.colorize(
            L, features, SamplerConfig(steps=10), [torch.Generator().manual_seed(seed + i) for i in range(4)]
        )
        for seed in (0, 100)
    )
    assert torch.equal(one, two)
    assert one.shape == (4, 2, 16, 16)
    assert len(calls) == 2


def test_it_learns_to_say_the_mean_where_lightness_tells_nothing() -> None:
    torch.manual_seed(0)
    model = tiny_model("none", "none", diffusion=REGRESSION)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    given = batch(8)
    given["L"] = torch.zeros(8, 1, 16, 16)
    given["ab"] = torch.tensor([-0.3, 0.5]).repeat_interleave(4)[:, None, None, None].expand(8, 2, 16, 16)
    for _ in range(60):
        optimizer.zero_grad()
        model(**given).backward()
        optimizer.step()
    said = model.colorize(given["L"], model.encode(given["L"]), SamplerConfig(), [torch.Generator()] * 8)
    torch.testing.assert_close(said, torch.full_like(said, 0.1), atol=0.03, rtol=0)
