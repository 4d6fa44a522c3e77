"""Training: what it learns, when it stops, what it keeps and what it refuses."""

import itertools
import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from accelerate import Accelerator

import zoo
from support.batching import TINY, batches_for
from support.models import CountingEncoder, tiny_model
from zoo import registry
from zoo.data import Dataset
from zoo.errors import ZooError
from zoo.progress import StepInfo
from zoo.training.config import TrainConfig
from zoo.training.diffusion import train
from zoo.training.ema import EMA
from zoo.training.losses import Losses
from zoo.training.resume import CHECKPOINT
from zoo.training.schedule import learning_rate_factor
from zoo.training.trainer import Trainer


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return registry.datasets.create("synthetic", n_train=10, n_val=2, n_test=4, size=32)


def test_a_frozen_encoder_sees_each_image_and_its_mirror_once_ever(dataset: Dataset, tmp_path: Path) -> None:
    CountingEncoder.seen = 0
    for folder in ("a", "b"):  # two runs, of more than one epoch each
        model = tiny_model("counting")
        batches = batches_for(model, dataset, tmp_path / "cache")
        train(model, batches, TINY, tmp_path / folder)
    assert CountingEncoder.seen == 2 * len(batches.images)


def test_features_too_large_for_the_cache_are_computed_in_each_step(dataset: Dataset, tmp_path: Path) -> None:
    config = TrainConfig(steps=2, batch_size=4, feature_cache_gb=1e-9)
    model = tiny_model("counting")
    with pytest.warns(UserWarning, match="raise feature_cache_gb"):
        batches = batches_for(model, dataset, tmp_path / "cache", config)
    CountingEncoder.seen = 0
    train(model, batches, config, tmp_path / "run")
    assert CountingEncoder.seen == 8


def test_training_lowers_the_loss(dataset: Dataset, cache: Path, tmp_path: Path) -> None:
    losses = []
    config = TrainConfig(steps=60, batch_size=8, warmup=0.1, lr=3e-3)
    model = tiny_model()
    train(
        model,
        batches_for(model, dataset, cache, config),
        config,
        tmp_path,
        on_step=lambda info: losses.append(info.loss),
    )
    assert np.mean(losses[-10:]) < 0.6 * np.mean(losses[:5])


@pytest.mark.parametrize("cond", zoo.list_conditioners())
@pytest.mark.parametrize("encoder", ["none", "unet", "counting"])
def test_every_pair_trains_and_all_that_should_learn_does(
    dataset: Dataset, cache: Path, tmp_path: Path, encoder: str, cond: str
) -> None:
    model = tiny_model(encoder, cond)
    before = {n: p.detach().clone() for n, p in model.named_parameters()}
    result = train(model, batches_for(model, dataset, cache), TINY, tmp_path)
    assert result.steps == 4
    assert result.images_seen == 16
    moved = {n for n, p in model.named_parameters() if not torch.equal(p, before[n])}
    for part in ("denoiser", *(["conditioner"] if cond != "none" else [])):
        assert any(n.startswith(part) for n in moved), part
    learns = encoder == "unet" and cond != "none"
    assert any(n.startswith("encoder") for n in moved) == learns


def test_a_finished_run_is_not_trained_again(dataset: Dataset, cache: Path, tmp_path: Path) -> None:
    model = tiny_model()
    first = train(model, batches_for(model, dataset, cache), TINY, tmp_path)
    steps: list[StepInfo] = []
    fresh = tiny_model()
    again = train(fresh, batches_for(fresh, dataset, cache), TINY, tmp_path, on_step=steps.append)
    assert steps == []
    assert again == first
    for a, b in zip(model.state_dict().values(), fresh.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_checkpoint(
    dataset: Dataset, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny_model()
    forward, calls = model.forward, []

    def poisoned(*args: object, **kwargs: object) -> torch.Tensor:
        calls.append(1)
        return forward(*args, **kwargs) * (math.nan if len(calls) == 4 else 1)  # type: ignore[arg-type]

    monkeypatch.setattr(model, "forward", poisoned)
    with pytest.raises(ZooError, match="loss is nan at step 3"):
        train(model, batches_for(model, dataset, cache), TINY, tmp_path)
    checkpoint = torch.load(tmp_path / CHECKPOINT, weights_only=True)
    assert checkpoint["step"] == 2
    assert all(torch.isfinite(w).all() for w in checkpoint["ema"].values())


def test_a_checkpoint_of_other_settings_or_a_broken_one_is_refused(
    dataset: Dataset, cache: Path, tmp_path: Path
) -> None:
    model = tiny_model()
    batches = batches_for(model, dataset, cache)
    train(model, batches, TINY, tmp_path)
    with pytest.raises(ZooError, match="other settings"):
        train(tiny_model(seed=1), batches, TINY, tmp_path)
    (tmp_path / CHECKPOINT).write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(ZooError, match="not a readable checkpoint"):
        train(model, batches, TINY, tmp_path)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Goes on by a second whenever it is looked at, which training does once a step."""
    ticks = itertools.count()
    monkeypatch.setattr("zoo.training.trainer.time", SimpleNamespace(perf_counter=lambda: float(next(ticks))))


def test_a_budget_in_seconds_ends_the_run(dataset: Dataset, cache: Path, tmp_path: Path, clock: None) -> None:
    config = TrainConfig(steps=None, seconds=2.5, batch_size=4)
    model = tiny_model()
    result = train(model, batches_for(model, dataset, cache, config), config, tmp_path)
    assert (result.steps, result.seconds) == (3, 3.0)


def test_bf16_on_a_processor_without_it_is_warned_of(
    dataset: Dataset, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoo.training.trainer.knows_bf16", lambda: False)
    config = TrainConfig(steps=1, batch_size=2, mixed_precision="bf16")
    model = tiny_model()
    with pytest.warns(UserWarning, match="ten times slower"):
        train(model, batches_for(model, dataset, cache, config), config, tmp_path)


def test_losses_on_a_device_are_looked_at_every_so_many_steps_and_before_a_checkpoint(
    dataset: Dataset, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    init = Losses.__init__

    def as_on_a_gpu(self: Losses, accelerator: object) -> None:
        init(self, accelerator)  # type: ignore[arg-type]
        self.look_every = 3

    monkeypatch.setattr(Losses, "__init__", as_on_a_gpu)
    steps: list[int] = []
    config = TrainConfig(steps=8, batch_size=2, checkpoint_every=4)
    model = tiny_model()
    train(model, batches_for(model, dataset, cache, config), config, tmp_path, on_step=lambda i: steps.append(i.step))
    assert steps == [3, 4, 7, 8]


def test_a_loss_that_was_not_finite_is_placed_no_better_than_it_is_known(tmp_path: Path) -> None:
    losses = Losses(Accelerator(cpu=True))
    for value in (1.0, math.nan, 1.0):
        losses.add(torch.tensor(value), torch.tensor(1.0))
    with pytest.raises(ZooError, match="somewhere in steps 7 to 9"):
        losses.look(10, tmp_path / CHECKPOINT)


def test_losses_are_logged_for_tensorboard(dataset: Dataset, cache: Path, tmp_path: Path) -> None:
    config = TrainConfig(steps=2, batch_size=4, log=("tensorboard",))
    model = tiny_model()
    train(model, batches_for(model, dataset, cache, config), config, tmp_path)
    assert list(tmp_path.rglob("events.out.tfevents.*"))


def test_the_average_covers_all_that_trains_and_nothing_else() -> None:
    model = tiny_model("counting")
    ema = EMA(model, 0.5)
    assert set(ema.average) == {n for n, p in model.named_parameters() if p.requires_grad}
    assert any(n.startswith("encoder") for n in EMA(tiny_model("unet"), 0.5).average)
    name, start = next((n, p.clone()) for n, p in ema.average.items())
    with torch.no_grad():
        dict(model.named_parameters())[name].add_(1)
    ema.update()
    torch.testing.assert_close(ema.average[name], start + 1 - 2 / 11)  # the first decay is 2 / 11


def test_the_learning_rate_warms_up_and_ends_at_zero() -> None:
    factors = [learning_rate_factor(step / 100, (step + 1) / 100, 0.1) for step in range(101)]
    assert factors[0] == pytest.approx(0.1, rel=0.01)
    assert max(factors) == max(factors[8:12])
    assert factors[-1] == pytest.approx(0)


def test_a_slow_network_warms_up_in_the_same_share_of_its_seconds(
    dataset: Dataset, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: None
) -> None:
    """20 steps fit into the budget."""
    rates: list[float] = []
    optimise = Trainer.optimise

    def watched(self: Trainer, batch: object, share: float) -> tuple[torch.Tensor, torch.Tensor]:
        found = optimise(self, batch, share)
        rates.append(self.optimizer.param_groups[0]["lr"])
        return found

    monkeypatch.setattr(Trainer, "optimise", watched)
    config = TrainConfig(steps=None, seconds=20, batch_size=4, lr=1.0, warmup=0.2)
    model = tiny_model()
    train(model, batches_for(model, dataset, cache, config), config, tmp_path)
    expected = [min(1, i / 20 / 0.2) * (1 + math.cos(math.pi * (i - 1) / 20)) / 2 for i in range(1, 21)]
    assert rates[0] == 0  # the pace is not known yet
    assert rates[1:] == pytest.approx(expected[1:])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"seconds": 3.0}, "exactly one"),
        ({"steps": None}, "exactly one"),
        ({"steps": 0}, "steps must be greater than 0"),
        ({"lr": -1.0}, "lr must be greater than 0"),
        ({"lr": math.nan}, "lr must be greater than 0"),
        ({"ema": 1.0}, r"ema must lie in \[0, 1\)"),
        ({"mixed_precision": "fp8"}, "one of no, fp16, bf16"),
        ({"log": ("tensorbord",)}, "tensorboard and wandb, not 'tensorbord'"),
        ({"warmup": -0.1}, r"warmup must lie in \[0, 1\)"),
        ({"warmup": 1}, "no longer a number of steps"),
        ({"warmup": 50}, "no longer a number of steps"),
        ({"weight_decay": -1}, "must not be negative"),
    ],
)
def test_impossible_training_is_refused(options: dict, said: str) -> None:
    with pytest.raises(ZooError, match=said):
        TrainConfig(**options)
