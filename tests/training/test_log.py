"""Where a training tells how it goes: the same to TensorBoard and to Weights & Biases, without waiting in each step."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from support.models import tiny_model
from zoo.data import Dataset
from zoo.training.config import TrainConfig
from zoo.training.diffusion import open_batches, train
from zoo.training.log import open_logs, tiled
from zoo.training.losses import Losses
from zoo.training.watch import Validated

GRID = np.random.default_rng(0).integers(0, 255, (2, 3, 4, 5, 3), np.uint8)
LOOK = Validated(0.25, {"psnr": 20.0, "colorfulness": 12.5}, GRID)
SCALARS = {"loss", "grad_norm", "lr", "images_per_second", "val_loss", "val_psnr", "val_colorfulness"}


def trained(dataset: Dataset, folder: Path, **options: Any) -> None:
    usual: dict[str, Any] = {"steps": 4, "batch_size": 2, "lr": 1e-2, "warmup": 0.5, "val_every": 2}
    config, model = TrainConfig(**{**usual, **options}), tiny_model("none", "none")
    batches = open_batches(model, dataset, config, seed=0, cache_dir=folder.parent / "cache")
    train(model, batches, config, folder, on_validate=lambda step: LOOK)


def events(folder: Path) -> EventAccumulator:
    log = EventAccumulator(str(folder / "train"))
    log.Reload()
    return log


def scalars(log: EventAccumulator, tag: str) -> dict[int, float]:
    return {event.step: event.value for event in log.Scalars(tag)}


def test_tensorboard_is_told_losses_rate_gradients_scores_and_pictures(dataset: Dataset, tmp_path: Path) -> None:
    trained(dataset, tmp_path / "run", log=("tensorboard",), grad_clip=1e-4)
    log = events(tmp_path / "run")
    assert set(log.Tags()["scalars"]) == SCALARS
    assert scalars(log, "lr") == pytest.approx({1: 0.005, 2: 0.01 * 0.8536, 3: 0.005, 4: 0.01 * 0.1464}, rel=1e-3)
    assert all(norm > 1e-3 for norm in scalars(log, "grad_norm").values())  # before it was cut
    assert scalars(log, "val_psnr") == {2: 20.0, 4: 20.0}
    assert scalars(log, "val_loss") == {2: 0.25, 4: 0.25}
    pictures = log.Images("val")
    assert [(picture.step, picture.height, picture.width) for picture in pictures] == [(2, 8, 15), (4, 8, 15)]


def test_nothing_is_read_of_a_device_before_somebody_looks() -> None:
    losses = Losses(Accelerator(cpu=True))
    for _ in range(3):
        losses.add(torch.empty((), device="meta"), torch.empty((), device="meta"))  # reading one would raise
    assert losses.waiting == 3


def test_a_look_tells_means_over_the_steps_since_the_last(tmp_path: Path) -> None:
    losses = Losses(Accelerator(cpu=True))
    for loss, norm in ((1.0, 10.0), (2.0, 30.0)):
        losses.add(torch.tensor(loss), torch.tensor(norm))
    assert losses.look(2, tmp_path)[:2] == (1.5, 20.0)
    losses.add(torch.tensor(4.0), torch.tensor(5.0))
    assert losses.look(3, tmp_path)[:2] == (4.0, 5.0)


def test_settings_and_final_scores_stand_with_the_losses_of_the_training(dataset: Dataset, tmp_path: Path) -> None:
    trained(dataset, tmp_path / "run", log=("tensorboard",))
    with open_logs(("tensorboard",), tmp_path / "run") as logs:
        for log in logs:
            log.results({"train.lr": 1e-2, "encoder.name": "none", "train.patience": None}, {"psnr": 21.5}, 4)
    found = events(tmp_path / "run")
    assert scalars(found, "score/psnr") == {4: 21.5}
    assert scalars(found, "loss").keys() == {1, 2, 3, 4}
    assert [path.name for path in (tmp_path / "run" / "train").iterdir() if path.is_dir()] == []
    summary = found.SummaryMetadata("_hparams_/session_start_info")
    assert b"encoder.name" in summary.plugin_data.content


class FakeRun:
    """Takes down what it is told."""

    def __init__(self, **given: Any) -> None:
        self.given = given
        self.told: list[dict[str, Any]] = []
        self.settings: dict[str, Any] = {}
        self.summary: dict[str, Any] = {}
        self.config = SimpleNamespace(update=lambda values, allow_val_change: self.settings.update(values))
        self.steps_by: tuple[str, str] | None = None
        self.finished = False

    def define_metric(self, name: str, step_metric: str) -> None:
        self.steps_by = (name, step_metric)

    def log(self, values: Mapping[str, Any]) -> None:
        self.told.append(dict(values))

    def finish(self) -> None:
        self.finished = True


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[FakeRun]:
    """Those that were begun at Weights & Biases, which is not installed here."""
    begun: list[FakeRun] = []
    module: Any = ModuleType("wandb")
    module.__spec__ = SimpleNamespace()
    module.Image = lambda pixels: pixels.shape
    module.init = lambda **given: begun.append(FakeRun(**given)) or begun[-1]
    monkeypatch.setitem(sys.modules, "wandb", module)
    monkeypatch.delenv("WANDB_PROJECT", raising=False)
    return begun


def test_weights_and_biases_is_told_the_same(dataset: Dataset, tmp_path: Path, runs: list[FakeRun]) -> None:
    trained(dataset, tmp_path / "run", log=("wandb",))
    (run,) = runs
    assert {key for told in run.told for key in told} == SCALARS | {"val", "step"}
    assert [told["step"] for told in run.told if "lr" in told] == [1, 2, 3, 4]
    assert [told["val"] for told in run.told if "val" in told] == [(8, 15, 3)] * 2
    assert run.steps_by == ("*", "step")
    assert run.finished


def test_a_run_there_is_gone_on_with_and_has_settings_and_final_scores(
    dataset: Dataset, tmp_path: Path, runs: list[FakeRun]
) -> None:
    trained(dataset, tmp_path / "run", log=("wandb",))
    with open_logs(("wandb",), tmp_path / "run") as logs:
        for log in logs:
            log.results({"train.lr": 1e-2}, {"psnr": 21.5}, 4)
    trained(dataset, tmp_path / "other", log=("wandb",))
    first, again, other = runs
    assert first.given == again.given
    assert (first.given["name"], first.given["resume"]) == ("run", "allow")
    assert first.given["id"] != other.given["id"]
    assert again.settings == {"train.lr": 1e-2}
    assert again.summary == {"score/psnr": 21.5}


def test_pictures_of_photos_lie_below_each_other() -> None:
    picture = tiled(GRID)
    assert picture.shape == (8, 15, 3)
    assert np.array_equal(picture[4:, 5:10], GRID[1, 1])
