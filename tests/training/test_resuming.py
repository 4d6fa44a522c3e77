"""A run that stops and goes on ends with the same bits as one that did not; in one process, so that it is quick.

`test_training_processes` kills them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from support.models import tiny_model
from zoo.data import Dataset
from zoo.errors import ZooError
from zoo.progress import StepInfo
from zoo.tensor_file import MODEL
from zoo.training.config import TrainConfig
from zoo.training.diffusion import open_batches, train
from zoo.training.resume import CHECKPOINT

OPTIONS: dict[str, Any] = {"steps": 8, "batch_size": 4, "warmup": 0.5, "lr": 1e-2, "ema": 0.9, "checkpoint_every": 3}


class StoppedError(Exception):
    """Somebody pressed Ctrl-C."""


def run(dataset: Dataset, folder: Path, *, stop_after: int | None = None, seed: int = 0, **options: Any) -> list[int]:
    """The steps that were taken."""
    config = TrainConfig(**{**OPTIONS, **options})
    model = tiny_model()
    batches = open_batches(model, dataset, config, seed=seed, cache_dir=folder.parent / "cache")
    steps: list[int] = []

    def on_step(info: StepInfo) -> None:
        steps.append(info.step)
        if info.step == stop_after:
            raise StoppedError

    try:
        train(model, batches, config, folder, on_step=on_step)
    except StoppedError:
        assert not (folder / MODEL).exists()
    return steps


def test_a_run_that_was_stopped_goes_on_to_the_same_weights(dataset: Dataset, tmp_path: Path) -> None:
    assert run(dataset, tmp_path / "calm") == [*range(1, 9)]
    assert run(dataset, tmp_path / "stopped", stop_after=5) == [1, 2, 3, 4, 5]
    assert run(dataset, tmp_path / "stopped") == [4, 5, 6, 7, 8]  # from the checkpoint of step 3
    calm, resumed = (load_file(tmp_path / name / MODEL) for name in ("calm", "stopped"))
    for name, weight in calm.items():
        assert torch.equal(weight, resumed[name]), name


def test_a_checkpoint_comes_every_so_many_steps_and_at_the_end(dataset: Dataset, tmp_path: Path) -> None:
    def kept() -> int:
        return torch.load(tmp_path / "run" / CHECKPOINT, weights_only=True)["step"]

    run(dataset, tmp_path / "run", stop_after=2)
    assert not (tmp_path / "run" / CHECKPOINT).exists()
    run(dataset, tmp_path / "run", stop_after=7)
    assert kept() == 6
    run(dataset, tmp_path / "run")
    assert kept() == 8


@pytest.mark.parametrize("changes", [{"lr": 2e-2}, {"ema": 0.5}, {"steps": 9}, {"flip": False}, {"seed": 1}])
def test_a_run_of_other_settings_does_not_go_on_from_here(
    dataset: Dataset, tmp_path: Path, changes: dict[str, Any]
) -> None:
    run(dataset, tmp_path / "run", stop_after=4)
    with pytest.raises(ZooError, match="other settings"):
        run(dataset, tmp_path / "run", **changes)


@pytest.mark.parametrize("changes", [{"checkpoint_every": 5}, {"feature_cache_gb": 0.0}])
def test_what_changes_no_weight_may_differ_when_a_run_goes_on(
    dataset: Dataset, tmp_path: Path, changes: dict[str, Any]
) -> None:
    run(dataset, tmp_path / "run", stop_after=4)
    assert run(dataset, tmp_path / "run", **changes) == [4, 5, 6, 7, 8]
