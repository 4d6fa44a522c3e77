"""The folder of a run: held by one process, whole when it is done, and sharing what runs with one training share."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from support.rows import row
from zoo import tensor_file
from zoo.benchmark.runs.folder import Budget, RunFolder
from zoo.benchmark.tables import rows
from zoo.errors import ZooError
from zoo.tensor_file import MODEL


def test_runs_that_share_a_training_share_what_it_took(tmp_path: Path) -> None:
    first, second = RunFolder(tmp_path, "a"), RunFolder(tmp_path, "b")
    for folder in (first, second):
        folder.describe({}, {}, {"training_id": "t"})
    torch.save({"step": 3, "elapsed": 1.0}, first.path / "checkpoint.pt")
    assert first.remember_peak(900.0) == 900.0
    assert second.adopt_training("t", Budget(3, None)) == "a"
    assert (second.path / "checkpoint.pt").samefile(first.path / "checkpoint.pt")
    assert second.remember_peak(500.0) == 900.0


@pytest.mark.parametrize(
    ("budget", "taken"),
    [
        (Budget(2, None), None),
        (Budget(3, None), "a"),
        (Budget(8, None), "b"),  # the last that lies within it
        (Budget(None, 0.5), None),
        (Budget(None, 1.5), "a"),
        (Budget(None, 9.0), "b"),
    ],
)
def test_the_last_checkpoint_of_the_same_course_that_lies_within_the_budget_is_taken(
    tmp_path: Path, budget: Budget, taken: str | None
) -> None:
    for name, course, step in (("a", "c", 3), ("b", "c", 8), ("d", "other", 2), ("e", "c", None)):
        folder = RunFolder(tmp_path, name)
        folder.describe({}, {}, {"training_id": name, "course_id": course})
        state = {"step": step, "elapsed": (step or 0) / 3}
        torch.save(state, folder.path / "checkpoint.pt") if step else (folder.path / "checkpoint.pt").write_bytes(b"x")
    (tmp_path / "b" / "val.csv").write_text("step,loss\n4,0.5\n")
    mine = RunFolder(tmp_path, "mine")
    assert mine.adopt_training("c", budget) == taken
    assert mine.validation.is_file() == (taken == "b")


@pytest.mark.parametrize(
    ("training", "value", "about", "shared"),
    [("t", 1.0, "a path", True), ("u", 1.0, "a path", False), ("t", 2.0, "a path", False), ("t", 1.0, "b", False)],
)
def test_models_of_one_training_are_one_file_where_they_hold_the_same(
    tmp_path: Path, training: str, value: float, about: str, shared: bool
) -> None:
    folders = RunFolder(tmp_path, "a"), RunFolder(tmp_path, "b")
    for folder, *given in zip(folders, ("t", training), (1.0, value), ("a path", about)):
        folder.describe({}, {}, {"training_id": given[0]})
        tensor_file.write(folder.path / MODEL, {"weight": torch.tensor([given[1]])}, {"spec": str(given[2])})
    folders[1].share_model(training)
    first, second = (folder.path / MODEL for folder in folders)
    assert first.samefile(second) == shared
    assert tensor_file.read_tensors(second, "it")["weight"].item() == value


def test_two_processes_do_not_share_a_run(tmp_path: Path) -> None:
    with RunFolder(tmp_path, "r").claimed(), pytest.raises(ZooError, match="another process"):  # noqa: SIM117
        with RunFolder(tmp_path, "r").claimed():
            pass


def test_rows_of_a_run_that_is_done_are_whole(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path, "r")
    assert not folder.done
    rows.write(folder.rows, [row("r"), row("r", "fid", None, note="no weights")])
    assert folder.done
    assert len(rows.read(folder.rows)) == 2
