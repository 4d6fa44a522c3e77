"""Sweeps: killed at any moment they end with the table of an undisturbed one, and no cell is run twice."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from support.killing import Commands, said
from support.sweeping import TINY, scores, start
from zoo import locks
from zoo.benchmark.sweeps import ledger, status, sweep
from zoo.benchmark.sweeps.ledger import Cell, Ledger, Record
from zoo.benchmark.sweeps.planning import Asked
from zoo.errors import ZooError

SWEEP = ["-m", *TINY, "cond=none,film", "seed=0,1"]


@dataclass(frozen=True)
class Undisturbed:
    """Where a sweep lies that nobody disturbed, and the seconds that it took."""

    folder: Path
    seconds: float


@pytest.fixture(scope="module")
def undisturbed(commands: Commands, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    first, folder = (tmp_path_factory.mktemp(name) for name in ("first", "undisturbed"))
    assert commands.run(first, ["run", *TINY, "cond=none", "train.steps=1"]).code == 0  # imports for all others
    ended = commands.run(folder, ["run", *SWEEP])
    assert ended.code == 0, said(folder)
    return Undisturbed(folder, ended.seconds)


def kill(process: object) -> None:
    os.killpg(process.pid, signal.SIGKILL)  # type: ignore[attr-defined]
    process.wait()  # type: ignore[attr-defined]


def state(folder: Path) -> list[str]:
    book = Ledger(folder / "results" / "runs")
    return [cell.state for begun in book.sweeps() for cell in book.cells(begun)]


@pytest.mark.slow
def test_a_sweep_that_is_killed_again_and_again_ends_with_the_table_of_an_undisturbed_one(
    commands: Commands, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    moments = random.Random(0)
    for _ in range(4):
        commands.run(tmp_path, ["run", *SWEEP], killed_after=moments.uniform(0, undisturbed.seconds))
    code, out, err = commands.finish(tmp_path, "run", *SWEEP)
    assert code == 0, err
    assert "4 of 4 cells done" in out
    assert scores(tmp_path / "table.csv") == scores(undisturbed.folder / "table.csv")


@pytest.mark.slow
def test_two_processes_on_one_sweep_share_its_cells_and_one_takes_over_from_the_other_that_died(
    commands: Commands, tmp_path: Path
) -> None:
    longer = ["train.steps=200", "train.checkpoint_every=20"]
    alone, together = tmp_path / "alone", tmp_path / "together"
    alone.mkdir()
    together.mkdir()
    first, second = (start(together, *SWEEP, *longer) for _ in range(2))
    while state(together).count("running") < 2:
        time.sleep(0.02)
        assert first.poll() is None, (together / "err.txt").read_text()
        assert second.poll() is None, (together / "err.txt").read_text()
    kill(first)
    assert second.wait(240) == 0, (together / "err.txt").read_text()
    assert state(together) == ["done"] * 4
    told = (together / "out.txt").read_text()
    assert told.count("\nrun ") in (4, 5)  # each was begun once, but for one that the killed process may have been at
    assert commands.finish(alone, "run", *SWEEP, *longer)[0] == 0
    assert scores(together / "table.csv") == scores(alone / "table.csv")


def test_the_same_sweep_again_trains_nothing_and_says_so(commands: Commands, undisturbed: Undisturbed) -> None:
    folder = undisturbed.folder
    checkpoints = {f: f.stat().st_mtime_ns for f in folder.glob("results/runs/*/checkpoint.pt")}
    assert len(checkpoints) == 4
    code, out, _ = commands.finish(folder, "run", *SWEEP)
    assert code == 0
    assert out.count("is done already") == 4
    assert {f: f.stat().st_mtime_ns for f in folder.glob("results/runs/*/checkpoint.pt")} == checkpoints


def test_a_cell_that_fails_is_told_at_the_end_and_stops_no_other(commands: Commands, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(
        "import zoo\n\n"
        "@zoo.register_metric('broken')\n"
        "class Broken(zoo.Metric):\n"
        "    def names(self): return {'broken': None}\n"
        "    def update(self, pred, truth): raise RuntimeError('a bug of mine')\n"
        "    def compute(self): return []\n"
    )
    given = ["-m", *TINY, "plugins=[broken.py]", "metrics=[broken],[psnr]", "cond=none"]
    code, out, err = commands.finish(tmp_path, "run", *given)
    assert code == 2
    assert "1 of 2 cells done" in out
    assert "failed: metrics=[broken]: metric 'broken'" in err
    assert "RuntimeError: a bug of mine" in err
    code, out, err = commands.finish(tmp_path, "status")
    assert code == 0, err
    assert "RuntimeError: a bug of mine" in out
    assert "2 cells: 1 done, 1 failed; time left: 0 s" in out


class FakeLauncher:
    """Of cells that only leave rows; ``cond=none`` was busy at first, and its owner has died since."""

    compose = None

    def __init__(self, folder: Path) -> None:
        self.config = SimpleNamespace(results_dir=folder)
        self.book = Ledger(folder)
        self.asked: list[list[str]] = []

    def expanded(self, options: Sequence[str]) -> list[list[str]]:
        return [["cond=none"], ["cond=film"]]

    def all_of(self, cells: list[list[str]]) -> Callable[[], list[object]]:
        return lambda: [self.book.note(ledger.cell_id(cells[0]), Record("none", "another", 0.0)), self.launch(cells[1])]

    def launch(self, cell: Sequence[str]) -> None:
        self.asked.append([*cell])
        name = cell[0].removeprefix("cond=")
        (self.book.results_dir / name).mkdir(exist_ok=True)
        (self.book.results_dir / name / "rows.csv").write_text("")
        self.book.note(ledger.cell_id(cell), Record(name, "me", 0.0, 1.0))


def test_a_cell_whose_owner_died_while_the_others_were_run_is_taken_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = FakeLauncher(tmp_path)
    monkeypatch.setattr(sweep, "launcher", lambda *_: nullcontext(fake))
    monkeypatch.setattr(sweep, "check", lambda *_, of: None)
    with sweep.sweep(Asked(("cond=none,film",), ()), lambda _: None) as launch:
        launch()
    assert fake.asked == [["cond=film"], ["cond=none"]]
    assert "2 of 2 cells done" in capsys.readouterr().out


def test_a_sweep_without_end_is_refused_before_anything_runs(commands: Commands, tmp_path: Path) -> None:
    code, _, err = commands.finish(tmp_path, "run", "-m", *TINY, "train.lr=interval(1e-4,1e-3)")
    assert code == 2
    assert "interval" in err.lower()
    assert "Traceback" not in err
    assert not list(tmp_path.glob("results/runs/*/rows.csv"))
    assert not list(tmp_path.glob("results/runs/cells/*"))


def test_a_lock_is_free_again_when_its_owner_is_dead_and_asking_does_not_take_it(tmp_path: Path) -> None:
    path = tmp_path / "run" / ".lock"
    assert not locks.held(path)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with locks.claimed(path):
            os.write(writing, b"!")
            time.sleep(60)
        os._exit(0)
    assert os.read(reading, 1) == b"!"
    assert locks.held(path)
    with pytest.raises(ZooError, match="another process is at work"), locks.claimed(path):
        pass
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert not locks.held(path)
    with locks.claimed(path):
        assert locks.held(path)


def test_the_states_of_a_cell(tmp_path: Path) -> None:
    book = Ledger(tmp_path)
    options = ["cond=film", "seed=0", f"results_dir={tmp_path}"]
    plan = book.plan([options, ["cond=none", "seed=0"]])
    cell = ledger.cell_id(options)

    def now() -> Cell:
        return book.cells(plan)[0]

    assert (now().name, now().state) == ("cond=film", "not started")
    book.note(cell, Record("r", "me", 0.0))
    assert now().state == "interrupted"
    with locks.claimed(tmp_path / "r" / ".lock"):
        (tmp_path / "r" / "progress.json").write_text(json.dumps({"step": 1, "share": 0.25}))
        assert (now().state, now().share) == ("running", 0.25)
    book.end(cell, Record("r", "me", 0.0), 3.0, "no")
    assert (now().state, now().record) == ("failed", Record("r", "me", 0.0, 3.0, "no"))
    (tmp_path / "r" / "rows.csv").write_text("")
    assert now().state == "done"


def test_a_cell_is_the_same_whatever_the_machine_and_the_order_of_its_options() -> None:
    one = ledger.cell_id(["cond=film", "seed=0", "results_dir=a", "hydra.launcher.n_jobs=2"])
    assert one == ledger.cell_id(["seed=0", "cond=film", "table=t.csv"])
    assert one != ledger.cell_id(["seed=1", "cond=film"])


def cells(*states: str, seconds: float = 10.0) -> list[Cell]:
    record = Record("r", "me", 100.0, seconds)
    return [Cell("c", "c", (), state, record, 0.0) for state in states]  # type: ignore[arg-type]


def test_the_time_left_is_that_of_the_usual_cell_shared_by_those_at_work() -> None:
    assert status.seconds_left(cells("not started"), 100) is None
    assert status.seconds_left(cells("done", "done"), 100) == 0
    assert status.seconds_left(cells("done", "not started", "failed", "interrupted"), 100) == 20
    assert status.seconds_left(cells("done", "running", "running", "not started"), 105) == 10


@pytest.mark.parametrize(("arguments", "expected"), [([], "no sweep was begun"), (["x"], "no sweep was begun")])
def test_status_without_a_sweep_is_one_line(
    commands: Commands, tmp_path: Path, arguments: list[str], expected: str
) -> None:
    code, _, err = commands.finish(tmp_path, "status", *arguments)
    assert code == 2
    assert expected in err
    assert len(err.splitlines()) == 1
