"""A checkpoint that was damaged is one line that says to delete it, and never goes on with other weights."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from support.models import tiny_model
from zoo.data import Dataset
from zoo.errors import ZooError
from zoo.tensor_file import MODEL
from zoo.training import resume
from zoo.training.config import TrainConfig
from zoo.training.diffusion import open_batches, train
from zoo.training.resume import CHECKPOINT

CPU = torch.device("cpu")
CONFIG = TrainConfig(steps=2, batch_size=2, checkpoint_every=1)


def trained(dataset: Dataset, folder: Path) -> None:
    model = tiny_model("none", "none")
    batches = open_batches(model, dataset, CONFIG, seed=0, cache_dir=folder.parent / "cache")
    train(model, batches, CONFIG, folder)


@pytest.fixture(scope="module")
def run(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    trained(dataset, folder)
    return folder


def state_of(run: Path) -> dict[str, Any]:
    return torch.load(run / CHECKPOINT, weights_only=True)


def same(a: Any, b: Any) -> bool:
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return a == b


def damaged(content: bytes, seed: int) -> bytes:
    """Some bytes changed, a stretch of zeros, or the end cut off."""
    rng = np.random.default_rng(seed)
    data = bytearray(content)
    kind = rng.integers(4)
    if kind == 0:
        return bytes(data[: rng.integers(len(data))])
    if kind == 1:
        start = int(rng.integers(len(data)))
        data[start : start + 512] = bytes(len(data[start : start + 512]))
        return bytes(data)
    low = 0 if kind == 2 else max(0, len(data) - 4000)  # the directory of the archive is at its end
    for place in rng.integers(low, len(data), rng.integers(1, 6)):
        data[place] ^= rng.integers(1, 256)
    return bytes(data)


def read_damaged(run: Path, tmp_path: Path, seeds: range) -> None:
    content, whole = (run / CHECKPOINT).read_bytes(), state_of(run)
    path = tmp_path / CHECKPOINT
    for seed in seeds:
        path.write_bytes(damaged(content, seed))
        try:
            found = resume.read(path, whole, CPU)
        except ZooError as error:
            assert "\n" not in str(error), seed  # noqa: PT017  # most are refused, some bytes do not matter
            assert "delete it" in str(error), seed  # noqa: PT017
        else:
            assert same(found, whole), seed


def test_damage_is_one_line_or_changes_nothing(run: Path, tmp_path: Path) -> None:
    read_damaged(run, tmp_path, range(100))


@pytest.mark.long
def test_two_thousand_damages_are_one_line_or_change_nothing(run: Path, tmp_path: Path) -> None:
    read_damaged(run, tmp_path, range(100, 2100))


def without_an_average(state: dict[str, Any]) -> None:
    del state["ema"]["denoiser.conv_in.weight"]


def nan_in_the_average(state: dict[str, Any]) -> None:
    state["ema"]["denoiser.conv_in.weight"][0] = torch.nan


def nan_in_the_weights(state: dict[str, Any]) -> None:
    state["model"]["denoiser.conv_in.weight"][0] = torch.nan


def nan_in_a_moment(state: dict[str, Any]) -> None:
    state["optimizer"]["state"][0]["exp_avg"][0] = torch.nan


def another_shape(state: dict[str, Any]) -> None:
    state["model"]["denoiser.conv_in.bias"] = torch.zeros(1)


def another_kind_of_number(state: dict[str, Any]) -> None:
    state["model"]["denoiser.conv_in.bias"] = state["model"]["denoiser.conv_in.bias"].double()


def another_weight(state: dict[str, Any]) -> None:
    state["model"]["denoiser.more"] = torch.zeros(1)


def a_step_before_the_first(state: dict[str, Any]) -> None:
    state["step"] = -5


def half_a_step(state: dict[str, Any]) -> None:
    state["step"] = 1.5


def endless_time(state: dict[str, Any]) -> None:
    state["elapsed"] = float("inf")


def no_optimizer(state: dict[str, Any]) -> None:
    del state["optimizer"]


def other_parameters(state: dict[str, Any]) -> None:
    state["optimizer"]["param_groups"][0]["params"].pop()


def a_moment_less(state: dict[str, Any]) -> None:
    del state["optimizer"]["state"][0]["exp_avg_sq"]


@pytest.mark.parametrize(
    "spoil",
    [
        without_an_average,
        nan_in_the_average,
        nan_in_the_weights,
        nan_in_a_moment,
        another_shape,
        another_kind_of_number,
        another_weight,
        a_step_before_the_first,
        half_a_step,
        endless_time,
        no_optimizer,
        other_parameters,
        a_moment_less,
    ],
)
def test_a_whole_archive_with_a_wrong_state_is_refused(
    run: Path, tmp_path: Path, spoil: Callable[[dict[str, Any]], None]
) -> None:
    state = state_of(run)
    spoil(state)
    torch.save(state, tmp_path / CHECKPOINT)
    with pytest.raises(ZooError, match=r"not a readable checkpoint.*delete it"):
        resume.read(tmp_path / CHECKPOINT, state_of(run), CPU)


def test_a_full_disk_says_so_and_the_last_checkpoint_stays(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save, calls = torch.save, []

    def full(state: Any, path: Path) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        save(state, path)

    monkeypatch.setattr("torch.save", full)
    with pytest.raises(ZooError, match=r"No space left on device.*disk full"):
        trained(dataset, tmp_path / "run")
    assert state_of(tmp_path / "run")["step"] == 1
    assert [path.name for path in (tmp_path / "run").iterdir()] == [CHECKPOINT]


def test_what_a_kill_left_is_removed_when_the_run_is_taken_up(dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / f".{CHECKPOINT}.0123456789ab.part").write_bytes(b"half")
    trained(dataset, tmp_path / "run")
    assert {path.name for path in (tmp_path / "run").iterdir()} == {CHECKPOINT, MODEL}
