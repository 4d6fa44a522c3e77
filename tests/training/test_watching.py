"""What looks at validation photos decide: which weights are kept, when training ends; resumed or not, to the bit."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from support.models import tiny_model
from zoo.data import Dataset
from zoo.errors import ZooError
from zoo.model import ColorDiffusion
from zoo.progress import StepInfo
from zoo.tensor_file import MODEL
from zoo.training.config import TrainConfig
from zoo.training.diffusion import open_batches, train
from zoo.training.resume import CHECKPOINT
from zoo.training.trainer import TrainResult
from zoo.training.watch import Validated, Watch

FALLING = {2: 0.5, 4: 0.3, 6: 0.4, 8: 0.35, 10: 0.2, 12: 0.1}  # losses of looks after so many steps
State = dict[str, Tensor]


class StoppedError(Exception):
    """Somebody pressed Ctrl-C."""


class Run:
    """One sitting of a training whose looks find losses that are given; what it took and saw."""

    def __init__(
        self, dataset: Dataset, folder: Path, losses: dict[int, float], stop_after: int | None = None, **options: Any
    ) -> None:
        usual = {"steps": 12, "batch_size": 2, "lr": 1e-2, "ema": 0.9, "checkpoint_every": 3, "val_every": 2}
        config = TrainConfig(**{**usual, **options})
        self.model = tiny_model("none", "none")
        self.steps: list[int] = []
        self.averages: dict[int, State] = {}
        self.result: TrainResult | None = None
        batches = open_batches(self.model, dataset, config, seed=0, cache_dir=folder.parent / "cache")

        def on_step(info: StepInfo) -> None:
            self.steps.append(info.step)
            if info.step == stop_after:
                raise StoppedError

        def look(step: int) -> Validated:
            self.averages[step] = weights(self.model)
            return Validated(losses[step])

        try:
            self.result = train(self.model, batches, config, folder, on_step=on_step, on_validate=look)
        except StoppedError:
            assert not (folder / MODEL).exists()


def weights(model: ColorDiffusion) -> State:
    return {name: p.detach().clone() for name, p in model.named_parameters()}


def same(one: State, other: State) -> bool:
    return all(torch.equal(one[name], other[name]) for name in other)


def test_the_best_are_the_averaged_weights_of_the_look_with_the_lowest_loss(dataset: Dataset, tmp_path: Path) -> None:
    run = Run(dataset, tmp_path / "run", FALLING, steps=8, keep="best")
    assert run.result
    assert (run.result.steps, run.result.kept) == (8, 4)
    assert same(run.averages[4], weights(run.model))
    assert not same(run.averages[8], weights(run.model))


def test_by_default_the_last_weights_are_kept_whatever_looks_say(dataset: Dataset, tmp_path: Path) -> None:
    run = Run(dataset, tmp_path / "run", FALLING, steps=8)
    assert run.result
    assert (run.result.steps, run.result.kept) == (8, 8)
    assert same(run.averages[8], weights(run.model))


@pytest.mark.parametrize(("patience", "ends", "kept"), [(1, 6, 4), (2, 8, 4), (3, 12, 12)])
def test_patience_ends_a_training_after_so_many_looks_without_a_lower_loss(
    dataset: Dataset, tmp_path: Path, patience: int, ends: int, kept: int
) -> None:
    run = Run(dataset, tmp_path / "run", FALLING, keep="best", patience=patience)
    assert run.result
    assert (run.steps[-1], run.result.steps, run.result.images_seen, run.result.kept) == (ends, ends, 2 * ends, kept)


def test_patience_alone_keeps_the_last_weights(dataset: Dataset, tmp_path: Path) -> None:
    run = Run(dataset, tmp_path / "run", FALLING, patience=2)
    assert run.result
    assert (run.result.steps, run.result.kept) == (8, 8)
    assert same(run.averages[8], weights(run.model))


@pytest.mark.parametrize("stops", [[5], [7], [4, 7]])  # before and after the best look, and twice
@pytest.mark.parametrize("checkpoint_every", [2, 3])  # with the looks, and between them
def test_a_training_that_was_stopped_keeps_and_ends_as_one_that_was_not(
    dataset: Dataset, tmp_path: Path, stops: list[int], checkpoint_every: int
) -> None:
    options: dict[str, Any] = {"keep": "best", "patience": 2, "checkpoint_every": checkpoint_every}
    calm = Run(dataset, tmp_path / "calm", FALLING, **options)
    for stop in stops:
        Run(dataset, tmp_path / "stopped", FALLING, stop, **options)
    resumed = Run(dataset, tmp_path / "stopped", FALLING, **options)
    assert resumed.steps[0] == stops[-1] // checkpoint_every * checkpoint_every + 1
    assert calm.result
    assert resumed.result
    assert (resumed.result.steps, resumed.result.kept) == (calm.result.steps, calm.result.kept) == (8, 4)
    assert same(weights(calm.model), weights(resumed.model))


def test_a_training_that_ended_early_is_not_gone_on_with(dataset: Dataset, tmp_path: Path) -> None:
    first = Run(dataset, tmp_path / "run", FALLING, keep="best", patience=1)
    again = Run(dataset, tmp_path / "run", FALLING, keep="best", patience=1)
    assert again.steps == []
    assert again.result == first.result
    assert same(weights(first.model), weights(again.model))


def test_a_look_at_the_end_counts_as_others_do(dataset: Dataset, tmp_path: Path) -> None:
    run = Run(dataset, tmp_path / "run", FALLING | {5: 0.1}, steps=5, keep="best")
    assert run.result
    assert run.result.kept == 5


@pytest.mark.parametrize("changes", [{"keep": "last"}, {"patience": 3}, {"val_every": 3}])
def test_a_checkpoint_of_other_decisions_is_not_taken_up(
    dataset: Dataset, tmp_path: Path, changes: dict[str, Any]
) -> None:
    Run(dataset, tmp_path / "run", FALLING, 5, keep="best")
    with pytest.raises(ZooError, match="other settings") as told:
        Run(dataset, tmp_path / "run", FALLING, **{"keep": "best", **changes})
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    "damage", [{"waited": -1}, {"step": 99}, {"loss": math.nan}, {"average": {"a": torch.ones(1)}}]
)
def test_a_checkpoint_whose_looks_cannot_be_true_is_refused(
    dataset: Dataset, tmp_path: Path, damage: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    Run(dataset, tmp_path / "run", FALLING, 5, keep="best")
    file = tmp_path / "run" / CHECKPOINT
    state = torch.load(file, weights_only=True)
    torch.save({**state, "watch": {**state["watch"], **damage}}, file)
    monkeypatch.setattr("zoo.training.resume._checksum", lambda whole: state["crc32"])
    with pytest.raises(ZooError, match="not a readable checkpoint"):
        Run(dataset, tmp_path / "run", FALLING, keep="best")


@pytest.mark.parametrize("options", [{"keep": "best"}, {"patience": 2}])
def test_without_looks_nothing_can_be_decided(dataset: Dataset, tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(ZooError, match="val_every must be given with"):
        TrainConfig(**options)
    model, config = tiny_model("none", "none"), TrainConfig(steps=1, batch_size=2, val_every=1, **options)
    batches = open_batches(model, dataset, config, seed=0, cache_dir=tmp_path / "cache")
    with pytest.raises(ZooError, match="nobody who looks"):
        train(model, batches, config, tmp_path / "run")


@pytest.mark.parametrize("losses", [[0.5, 0.5, 0.5], [0.5, math.nan, math.nan]])
def test_an_equal_loss_or_none_is_no_lower_one(losses: list[float]) -> None:
    watch = Watch(TrainConfig(keep="best", patience=2, val_every=1))
    ended = []
    for step, loss in enumerate(losses, 1):
        watch.heed(step, loss, {"w": torch.full((1,), float(step))})
        ended.append(watch.ended)
    assert ended == [False, False, True]
    assert (watch.step, watch.average["w"].item()) == (1, 1.0)


def test_a_lower_loss_is_waited_for_from_the_best_look_on() -> None:
    watch = Watch(TrainConfig(patience=2, val_every=1))
    for step, loss in enumerate([0.5, 0.6, 0.4, 0.6], 1):
        watch.heed(step, loss, {})
        assert not watch.ended
    watch.heed(5, 0.4, {})
    assert watch.ended
