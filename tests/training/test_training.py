import itertools
import math
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from safetensors.torch import load_file

import zoo
from support.models import TINY_DENOISER, CountingEncoder, tiny_model
from zoo import registry
from zoo.cache.images import encoder_view
from zoo.data import Dataset
from zoo.errors import ZooError
from zoo.faces.framing import Box
from zoo.model import ColorDiffusion
from zoo.progress import StepInfo
from zoo.tensor_file import MODEL
from zoo.training.batches import Batches, inputs
from zoo.training.config import TrainConfig
from zoo.training.diffusion import open_batches, train
from zoo.training.ema import EMA
from zoo.training.losses import Losses
from zoo.training.resume import CHECKPOINT
from zoo.training.schedule import learning_rate_factor
from zoo.training.trainer import Trainer

TINY = TrainConfig(steps=4, batch_size=4, warmup=0.25, checkpoint_every=2)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return registry.datasets.create("synthetic", n_train=10, n_val=2, n_test=4, size=32)


def batches_for(model: ColorDiffusion, dataset: Dataset, cache: Path, config: TrainConfig = TINY) -> Batches:
    return open_batches(model, dataset, config, seed=0, cache_dir=cache)


# Batches


def test_a_batch_depends_on_seed_and_step_alone(dataset: Dataset, cache: Path) -> None:
    model = tiny_model()
    first, again = (batches_for(model, dataset, cache) for _ in range(2))
    first.at(0)
    for a, b in zip(first.at(5), again.at(5), strict=True):
        assert a is b is None or torch.equal(a, b)  # type: ignore[arg-type]
    assert not torch.equal(first.at(5).noise, first.at(6).noise)


def test_every_image_comes_once_per_epoch(dataset: Dataset, cache: Path) -> None:
    batches = batches_for(tiny_model(), dataset, cache)
    n = len(batches.images)
    seen = np.concatenate([batches._indices(step) for step in range(n)])  # 4 epochs of n images in n batches of 4
    epochs = seen.reshape(4, n).tolist()
    assert [sorted(epoch) for epoch in epochs] == [list(range(n))] * 4
    assert len({*map(tuple, epochs)}) == 4  # each in an order of its own


@pytest.mark.parametrize("crop", [None, (0.5, 1.0)])
@pytest.mark.parametrize("world", [2, 4])
def test_the_shares_of_all_processes_make_up_the_batch(
    dataset: Dataset, cache: Path, world: int, crop: tuple[float, float] | None
) -> None:
    model = tiny_model("counting", denoiser=TINY_DENOISER | {"hints": True})
    batches = open_batches(model, dataset, TINY, seed=0, cache_dir=cache, crop=crop)
    whole, *shares = (
        batch._replace(features=batch.features and batch.features.maps[0])
        for batch in (batches.at(3), *(batches.at(3, rank, world) for rank in range(world)))
    )
    assert (whole.features is None) == (crop is not None)  # features of squares are not kept
    assert whole.hinted is not None
    for name, all_of_it in whole._asdict().items():
        parts = [getattr(share, name) for share in shares]
        assert parts == [None] * world if all_of_it is None else torch.equal(torch.cat(parts), all_of_it), name


def test_flipping_can_be_turned_off(dataset: Dataset, cache: Path) -> None:
    model = tiny_model()
    still = batches_for(model, dataset, cache, TrainConfig(steps=4, batch_size=10, flip=False))
    stored = still.images.batch(still._indices(0))
    assert torch.equal(still.at(0).images, torch.from_numpy(stored))
    flipping = batches_for(model, dataset, cache, TrainConfig(steps=4, batch_size=10)).at(0).images.numpy()
    mirrored = [np.array_equal(a, b[:, ::-1]) for a, b in zip(flipping, stored, strict=True)]
    same = [np.array_equal(a, b) for a, b in zip(flipping, stored, strict=True)]
    assert any(mirrored)
    assert all(m != s for m, s in zip(mirrored, same, strict=True))


def test_cached_features_are_those_of_the_batch_s_own_images(dataset: Dataset, cache: Path) -> None:
    model = tiny_model("counting")
    batch = inputs(batches_for(model, dataset, cache).at(1), "cpu")
    expected = model.encode(batch["L"])
    torch.testing.assert_close(batch["features"].maps[0], expected.maps[0], atol=6e-3, rtol=0)  # L from 8 bits; fp16


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


def test_an_encoder_sees_its_own_frame_of_the_face(dataset: Dataset) -> None:
    encoder = zoo.create_encoder("none")
    assert encoder_view(encoder, dataset, 16) is None
    encoder.frame = Box(0.1, 0.2, 0.5)
    view = encoder_view(encoder, dataset, 16)
    assert view is not None
    assert dataset.face_box is not None
    assert view.box == dataset.face_box.of(Box(0.1, 0.2, 0.5))


# Training


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


def run_in_process(folder: Path, cache: Path, pause: float = 0.0) -> subprocess.Popen[str]:
    script = Path(__file__).parents[1] / "support" / "train_tiny.py"
    command = [sys.executable, str(script), str(folder), str(cache), "12", str(pause)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``calm``, a run that nobody killed, and the ``cache`` that it left."""
    folder = tmp_path_factory.mktemp("runs")
    told = run_in_process(folder / "calm", folder / "cache").communicate()[0]
    assert told.split() == [str(i) for i in range(1, 13)]
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("killed_after", [pytest.param([4], marks=pytest.mark.long), [1, 7]])  # 1: before a checkpoint
def test_a_killed_run_resumes_to_the_same_bits(calm: Path, tmp_path: Path, killed_after: list[int]) -> None:
    for step in killed_after:
        process = run_in_process(tmp_path / "killed", calm / "cache", pause=0.05)
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) == step:
                process.kill()  # SIGKILL: nothing in the process can tidy up
                break
        process.wait()
        assert not (tmp_path / "killed" / MODEL).exists()
    last = run_in_process(tmp_path / "killed", calm / "cache")
    steps = last.communicate()[0].split()
    assert steps[0] == str(killed_after[-1] // 3 * 3 + 1)  # not from the start, but from the last checkpoint
    expected, resumed = (load_file(folder / MODEL) for folder in (calm / "calm", tmp_path / "killed"))
    assert expected.keys() == resumed.keys()
    for name, weight in expected.items():
        assert torch.equal(weight, resumed[name]), name


@pytest.mark.slow
def test_two_processes_train_the_same_net_as_one(calm: Path, tmp_path: Path) -> None:
    script = str(Path(__file__).parents[1] / "support" / "train_tiny.py")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    command = [*launcher, script, str(tmp_path / "two"), str(calm / "cache"), "12", "0"]
    told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=300).stdout
    assert told.split() == [str(i) for i in range(1, 13)]  # the second process says nothing
    one, two = (load_file(folder / MODEL) for folder in (calm / "calm", tmp_path / "two"))
    for name, weight in one.items():
        torch.testing.assert_close(two[name], weight, atol=2e-4, rtol=1e-3, msg=name)


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
