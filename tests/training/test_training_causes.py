"""Each option of training has its effect, looked at in real runs of the trainer."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from support.models import tiny_model
from support.opened import opened
from zoo.data import Dataset
from zoo.faces.framing import Box, uncrop
from zoo.features import Features
from zoo.model import ColorDiffusion
from zoo.tensor_file import MODEL
from zoo.training.batches import inputs
from zoo.training.config import TrainConfig
from zoo.training.diffusion import open_batches, train
from zoo.training.resume import CHECKPOINT

CONFIG: dict[str, Any] = {"batch_size": 4, "checkpoint_every": 1000}
Train = Callable[..., ColorDiffusion]


@pytest.fixture
def trained(dataset: Dataset, cache: Path, tmp_path: Path) -> Train:
    """Train a tiny model with some options, in ``folder`` of the test's own."""

    def run(folder: str = "run", *, model: ColorDiffusion | None = None, **options: Any) -> ColorDiffusion:
        config = TrainConfig(**{**CONFIG, **options})
        model = model or tiny_model()
        train(model, open_batches(model, dataset, config, seed=0, cache_dir=cache), config, tmp_path / folder)
        return model

    return run


@pytest.fixture
def steps() -> Iterator[list[dict[str, Any]]]:
    """What every optimiser is about to do: its options, and the norm of the gradient that it sees."""
    seen: list[dict[str, Any]] = []

    def look(optimizer: torch.optim.Optimizer, args: object, kwargs: object) -> None:
        gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        norm = torch.stack([g.norm() for g in gradients]).norm().item()
        group = optimizer.param_groups[0]
        seen.append({"kind": type(optimizer), "norm": norm, **{k: group[k] for k in ("lr", "betas", "weight_decay")}})

    handle = register_optimizer_step_pre_hook(look)
    yield seen
    handle.remove()


def checkpoint(folder: Path) -> dict[str, Any]:
    return torch.load(folder / CHECKPOINT, weights_only=True)


# the optimiser


def test_the_optimiser_is_adamw_with_the_betas_that_are_documented(trained: Train, steps: list) -> None:
    trained(steps=1)
    assert steps[0]["kind"] is torch.optim.AdamW
    assert steps[0]["betas"] == (0.9, 0.99)


def test_one_step_of_training_is_one_of_the_optimiser(trained: Train, steps: list) -> None:
    trained(steps=3)
    assert len(steps) == 3


def test_the_learning_rate_warms_up_linearly_and_decays_by_a_cosine(trained: Train, steps: list) -> None:
    trained(steps=12, warmup=4 / 12, lr=3e-3)
    expected = [3e-3 * min(1, (i + 1) / 4) * (1 + math.cos(math.pi * i / 12)) / 2 for i in range(12)]
    assert [step["lr"] for step in steps] == pytest.approx(expected, rel=1e-6)


def test_without_a_warm_up_training_starts_at_the_peak(trained: Train, steps: list) -> None:
    trained(steps=2, warmup=0, lr=3e-3)
    assert steps[0]["lr"] == pytest.approx(3e-3)


def test_a_gradient_that_is_too_long_is_shortened(trained: Train, steps: list) -> None:
    trained(steps=2, grad_clip=1e-3)
    assert [step["norm"] for step in steps] == pytest.approx([1e-3, 1e-3], rel=1e-3)


def test_a_gradient_that_is_short_enough_is_left_alone(trained: Train, steps: list) -> None:
    trained("free", steps=1, grad_clip=1e6)
    norm = steps[0]["norm"]
    trained("just", steps=1, grad_clip=1.1 * norm)
    assert norm > 1e-3
    assert steps[1]["norm"] == norm


def test_gradients_do_not_pile_up_from_step_to_step(trained: Train, steps: list) -> None:
    trained(steps=24, lr=1e-12, grad_clip=1e6)
    norms = [step["norm"] for step in steps]
    assert sum(norms[-4:]) < 2 * sum(norms[:4])


def test_weight_decay_shrinks_weights_beside_the_gradient_and_not_through_it(trained: Train, tmp_path: Path) -> None:
    before = dict(tiny_model().named_parameters())
    for name, decay in (("without", 0.0), ("with", 0.5)):
        trained(name, steps=1, warmup=0, lr=1e-2, weight_decay=decay)
    without, decayed = (checkpoint(tmp_path / name)["model"] for name in ("without", "with"))
    for name, weight in before.items():
        expected = without[name] - 1e-2 * 0.5 * weight.detach()
        torch.testing.assert_close(decayed[name], expected, rtol=1e-5, atol=1e-7, msg=name)


# the average


def test_what_is_saved_and_given_back_is_the_average(trained: Train, tmp_path: Path) -> None:
    model = trained(steps=4, ema=0.9, lr=1e-2, warmup=0)
    state, stored = checkpoint(tmp_path / "run"), load_file(tmp_path / "run" / MODEL)
    for name, average in state["ema"].items():
        assert torch.equal(stored[name], average), name
        assert torch.equal(model.state_dict()[name], average), name
    assert any(not torch.equal(stored[name], state["model"][name]) for name in state["ema"])


def test_an_average_without_memory_is_the_last_weight(trained: Train, tmp_path: Path) -> None:
    trained(steps=3, ema=0.0, lr=1e-2)
    state = checkpoint(tmp_path / "run")
    for name, average in state["ema"].items():
        torch.testing.assert_close(average, state["model"][name], rtol=0, atol=1e-7, msg=name)


def test_the_average_is_of_each_step_with_a_decay_that_warms_up(trained: Train, tmp_path: Path) -> None:
    model = tiny_model()
    name, weight = next((n, p) for n, p in model.named_parameters() if p.dim() == 4)
    history = [weight.detach().clone()]
    handle = register_optimizer_step_post_hook(lambda *_: history.append(weight.detach().clone()))
    trained(model=model, steps=5, ema=0.3, lr=1e-2, warmup=0)
    handle.remove()
    average = history[0]
    for n, now in enumerate(history[1:], 1):
        decay = min(0.3, (1 + n) / (10 + n))  # 2/11, 3/12, 4/13, then 0.3
        average = decay * average + (1 - decay) * now
    torch.testing.assert_close(checkpoint(tmp_path / "run")["ema"][name], average, rtol=1e-5, atol=1e-6)


# what the model learns from


def test_dropping_features_in_training_is_what_teaches_the_null(trained: Train) -> None:
    def moved(p_uncond: float) -> bool:
        model = opened(tiny_model())
        before = [null.detach().clone() for null in model.conditioner.null]
        trained(f"{p_uncond}", model=model, steps=1, p_uncond=p_uncond, weight_decay=0.0)
        return any(not torch.equal(a, b) for a, b in zip(before, model.conditioner.null))

    assert moved(0.999)
    assert not moved(0.0)


def test_chroma_is_normalised_by_the_training_images(trained: Train, dataset: Dataset, cache: Path) -> None:
    model = trained(steps=1)
    batches = open_batches(model, dataset, TrainConfig(), seed=0, cache_dir=cache)
    ab = torch.nn.functional.avg_pool2d(batches.chroma_sample(), 4)
    assert len(ab) == 8
    torch.testing.assert_close(model.ab_mean.flatten(), ab.mean(dim=(0, 2, 3)), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(model.ab_std.flatten(), ab.std(dim=(0, 2, 3)), rtol=1e-4, atol=1e-5)


def given(n: int = 4) -> dict[str, Any]:
    """Arguments of `ColorDiffusion.forward`."""
    rng = torch.Generator().manual_seed(0)
    return {
        "L": torch.rand(n, 1, 16, 16, generator=rng) * 2 - 1,
        "ab": torch.rand(n, 2, 16, 16, generator=rng) - 0.5,
        "t": torch.linspace(0.2, 0.9, n),
        "noise": torch.randn(n, 2, 4, 4, generator=rng),
        "dropped": torch.zeros(n, dtype=torch.bool),
    }


def loss(model: ColorDiffusion, **arguments: Any) -> Tensor:
    with torch.no_grad():
        return model(**arguments)


@pytest.mark.parametrize("name", ["L", "ab", "t", "noise"])
def test_the_loss_depends_on(name: str) -> None:
    model, arguments = opened(tiny_model()), given()
    changed = arguments | {name: arguments[name].roll(1, 0)}
    assert loss(model, **changed) != pytest.approx(loss(model, **arguments).item(), rel=1e-4)


def test_the_loss_of_a_dropped_image_does_not_depend_on_its_features() -> None:
    model, arguments = opened(tiny_model()), given()
    features = model.encode(arguments["L"])
    others = model.encode(arguments["L"].flip(-1))

    def with_dropped(dropped: bool) -> tuple[Tensor, Tensor]:
        arguments["dropped"] = torch.full((4,), dropped)
        return loss(model, **arguments, features=features), loss(model, **arguments, features=others)

    assert torch.equal(*with_dropped(True))
    assert not torch.allclose(*with_dropped(False), rtol=1e-5)


def test_the_loss_is_the_error_of_v_at_the_time_and_noise_that_were_drawn() -> None:
    model, arguments = opened(tiny_model()), given()
    model.ab_mean.copy_(torch.tensor([0.1, -0.1])[:, None, None])
    model.ab_std.copy_(torch.tensor([0.3, 0.1])[:, None, None])
    t, noise = arguments["t"], arguments["noise"]
    x0 = (torch.nn.functional.avg_pool2d(arguments["ab"], 4) - model.ab_mean) / (2 * model.ab_std)
    alpha, sigma = (f(t * math.pi / 2)[:, None, None, None] for f in (torch.cos, torch.sin))
    context = model.context(model.encode(arguments["L"]), arguments["L"])
    with torch.no_grad():
        said = model.predict(alpha * x0 + sigma * noise, arguments["L"], t, context)
    expected = (said - (alpha * noise - sigma * x0)).square().mean()
    torch.testing.assert_close(loss(model, **arguments), expected, rtol=1e-5, atol=1e-6)


def test_colors_and_not_lightness_are_scaled_by_the_saturation_that_was_drawn(dataset: Dataset, cache: Path) -> None:
    config = TrainConfig(**CONFIG, steps=1, saturation_jitter=0.5)
    batch = open_batches(tiny_model(), dataset, config, seed=0, cache_dir=cache).at(0)
    jittered, plain = inputs(batch, "cpu"), inputs(batch._replace(saturation=torch.ones(4)), "cpu")
    assert torch.equal(jittered["L"], plain["L"])
    factors = (jittered["ab"] / plain["ab"]).flatten(1).nanmedian(dim=1).values
    np.testing.assert_allclose(factors, batch.saturation, rtol=1e-5)


def test_the_encoder_sees_its_view_and_its_maps_are_put_back_where_that_lies() -> None:
    model, arguments = opened(tiny_model()), given()
    view, box = arguments["L"].flip(-2), Box(0.2, -0.1, 0.7)
    features = Features(uncrop(model.encoder(view).maps, box), None)
    found = loss(model, **arguments, view=view, box=box)
    torch.testing.assert_close(found, loss(model, **arguments, features=features))
    for other in ({"box": box}, {"view": view}, {}):
        assert not torch.allclose(found, loss(model, **arguments, **other), rtol=1e-5)
