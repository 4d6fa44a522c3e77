"""What runs and the cache take on disk: listed, shown before it goes, and nothing of others or in use is touched."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from support import composing
from support.small import SMALL
from zoo.benchmark.disk import cached, items, runs
from zoo.benchmark.runs import experiment
from zoo.benchmark.runs.folder import LOCK, RunFolder
from zoo.benchmark.sweeps.ledger import Ledger, Record
from zoo.cache.record_file import RowFile, write_rows
from zoo.commands import main
from zoo.locks import claimed

A, B, C = "a" * 12, "b" * 12, "c" * 12
Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A run's folder, as one left it so many days ago."""

    def run(run_id: str, *, done: bool = True, days: float = 0.0, seed: int = 0, device: str = "cpu") -> Path:
        folder = tmp_path / run_id
        folder.mkdir()
        spec = {"method": "diffusion", "encoder": {"name": "unet"}, "cond": {"name": "film"}, "seed": seed}
        (folder / "spec.yaml").write_text(yaml.safe_dump({**spec, "device": device}))
        (folder / "checkpoint.pt").write_bytes(b"c" * 5_000_000)
        (folder / "train").mkdir()
        (folder / "train" / "events.out.tfevents.1").write_bytes(b"e")
        if done:
            (folder / "rows.csv").write_text("rows")
        for file in RunFolder(tmp_path, run_id).files():
            os.utime(file, (time.time() - 86400 * days,) * 2)
        return folder

    return run


def runs_command(folder: Path, *arguments: str) -> int:
    return main([*arguments, "--results-dir", str(folder)], command="runs")


def states(folder: Path) -> dict[str, str]:
    return {item.place.name: item.state for item in runs.find(folder)}


def test_a_run_is_done_interrupted_or_failed(tmp_path: Path, make: Make) -> None:
    for i, run_id in enumerate((A, B, C)):
        make(run_id, done=run_id == A, seed=i)
    Ledger(tmp_path).note("cell", Record(C, "host", 0.0, 1.0, "out of memory"))
    (tmp_path / "cells" / "other.json").write_text("[]")
    assert states(tmp_path) == {A: "done", B: "interrupted", C: "failed"}


def test_what_was_run_again_since_on_whatever_machine_is_superseded(tmp_path: Path, make: Make) -> None:
    make(A, days=2)
    make(B, days=1, device="cuda")
    make(C, days=3, seed=1)
    assert states(tmp_path) == {A: "superseded", B: "done", C: "done"}


def test_nothing_goes_before_yes(tmp_path: Path, make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    make(A, days=40)
    before = sorted(tmp_path.rglob("*"))
    assert runs_command(tmp_path, "prune", "--older-than", "30") == 0
    told = capsys.readouterr().out
    assert "nothing was deleted; with --yes this frees 5.0 MB" in told
    assert sorted(tmp_path.rglob("*")) == before
    assert runs_command(tmp_path, "prune", "--older-than", "30", "--yes") == 0
    assert "1 deleted, 5.0 MB freed" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_only_what_was_chosen_goes(tmp_path: Path, make: Make) -> None:
    make(A, days=2)
    make(B, days=1)
    make(C, days=3, seed=1)
    assert runs_command(tmp_path, "prune", "--superseded", "--older-than", "3", "--yes") == 0
    assert states(tmp_path).keys() == {A, B, C}
    assert runs_command(tmp_path, "prune", "--superseded", "--yes") == 0
    assert states(tmp_path).keys() == {B, C}
    assert runs_command(tmp_path, "prune", "--older-than", "2", "--yes") == 0
    assert states(tmp_path).keys() == {B}


def test_a_run_that_a_process_is_at_work_on_stays(
    tmp_path: Path, make: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make(A, done=False, days=9)
    (found,) = runs.find(tmp_path)
    with claimed(folder / LOCK):
        assert runs_command(tmp_path, "prune", "--older-than", "0", "--yes") == 0
        assert "in use" not in capsys.readouterr().out
        assert states(tmp_path) == {A: "in use"}
        assert runs.remove(found) == "a process is at work on it"  # it began after it was listed
    assert (folder / "checkpoint.pt").exists()


def test_a_run_that_was_done_meanwhile_stays(tmp_path: Path, make: Make) -> None:
    folder = make(A, done=False)
    (found,) = runs.find(tmp_path)
    (folder / "rows.csv").write_text("rows")
    assert runs.remove(found) == "it was worked on meanwhile"
    assert (folder / "rows.csv").exists()


def test_what_no_run_wrote_stays(tmp_path: Path, make: Make) -> None:
    folder, outside = make(A), tmp_path / "outside"
    (folder / "notes.txt").write_text("mine")
    outside.write_text("mine too")
    (folder / "grid.png").symlink_to(outside)
    (tmp_path / ("d" * 12)).mkdir()  # named like a run, and none
    (tmp_path / "e" / "spec.yaml").parent.mkdir()
    (tmp_path / "e" / "spec.yaml").write_text("{}")
    (tmp_path / ("f" * 12)).symlink_to(folder)
    assert runs_command(tmp_path, "prune", "--older-than", "0", "--yes") == 0
    assert sorted(path.name for path in folder.iterdir()) == ["grid.png", "notes.txt"]
    assert outside.read_text() == "mine too"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([A, "d" * 12, "e", "f" * 12, "outside"])


def test_a_file_that_runs_share_counts_once_and_is_freed_with_the_last(tmp_path: Path, make: Make) -> None:
    one, two = make(A), make(B, seed=1)
    (two / "checkpoint.pt").unlink()
    os.link(one / "checkpoint.pt", two / "checkpoint.pt")
    found = runs.find(tmp_path)
    assert items.size(found) == pytest.approx(5e6, rel=0.01)
    assert items.size(found[:1], freed=True) < 1000
    assert items.size(found, freed=True) == pytest.approx(5e6, rel=0.01)


def test_a_run_writes_nothing_that_could_not_be_pruned_and_shares_a_training_that_it_takes_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    options = ["metrics=[psnr]", "cache_dir=cache", "results_dir=runs", "train.log=[tensorboard]", "train.val_every=2"]
    for limit in (2, 3):
        experiment.run(composing.composed(*SMALL, *options, f"eval.limit={limit}"))
    gc.collect()  # files that this process still has open are in use
    found = runs.find(Path("runs"))
    assert [item.state for item in found] == ["done", "done"]
    for name in ("checkpoint.pt", "model.safetensors"):
        assert len({(item.place / name).stat().st_ino for item in found}) == 1, name
    assert [item.state for item in cached.find(Path("cache"))] == ["ready"] * len(list(Path("cache").iterdir()))
    assert main(["prune", "--older-than", "0", "--yes", "--results-dir", "runs"], command="runs") == 0
    assert main(["prune", "--older-than", "0", "--yes", "--cache-dir", "cache"], command="cache") == 0
    assert list(Path("runs").iterdir()) == list(Path("cache").iterdir()) == []


def rows_file(path: Path, days: float = 0.0) -> Path:
    with write_rows(path) as writer:
        writer.append(np.zeros((4, 8), np.uint8))
    os.utime(path, (time.time() - 86400 * days,) * 2)
    return path


def test_the_cache_is_pruned_but_for_what_is_open_and_what_is_not_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stem = "0" * 23
    used = rows_file(tmp_path / f"{stem}1.features", 9)
    rows_file(tmp_path / f"train-64px-{stem}2.images", 9)
    rows_file(tmp_path / f"real-{stem}3.features", 1)
    (tmp_path / f"test-64px-{stem}4.images").write_bytes(b"rows of an older version")
    (tmp_path / f".test-64px-{stem}5.images.{'0' * 32}.tmp").write_bytes(b"half")
    (tmp_path / "holiday.images").write_bytes(b"mine")
    unfinished = tmp_path / "pretrained" / (stem + "6")
    unfinished.mkdir(parents=True)
    (unfinished / "checkpoint.pt").write_bytes(b"c")
    found = {item.place.name.strip(".").split(".")[0][-1]: item.state for item in cached.find(tmp_path)}
    ready = dict.fromkeys("123", "ready")
    assert found == {**ready, "4": "superseded", "5": "failed", "6": "failed"}
    command = ["prune", "--cache-dir", str(tmp_path)]
    reader = RowFile(used)
    os.utime(used, (time.time() - 9 * 86400,) * 2)  # it was opened long ago
    assert main([*command, "--older-than", "3", "--yes"], command="cache") == 0
    left = {path.name for path in tmp_path.iterdir()}
    assert used.name in left
    assert f"train-64px-{stem}2.images" not in left
    assert f"real-{stem}3.features" in left
    assert len(reader) == 4
    assert main([*command, "--failed", "--superseded", "--yes"], command="cache") == 0
    assert {path.name for path in tmp_path.iterdir()} == {
        used.name,
        f"real-{stem}3.features",
        "holiday.images",
        "pretrained",
    }
    assert list((tmp_path / "pretrained").iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["prune"], "prune what?"),
        (["prune", "--older-than", "-1"], "expected a number of days"),
        (["prune", "--older-than", "nan"], "expected a number of days"),
        (["list", "--yes"], "--yes is for prune"),
        (["--results-dir", "nowhere"], "--results-dir nowhere: there is no such folder"),
    ],
)
def test_errors_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    given = arguments if "--results-dir" in arguments else [*arguments, "--results-dir", str(tmp_path)]
    assert main(given, command="runs") == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
