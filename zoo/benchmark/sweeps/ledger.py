"""What is known of a sweep: its cells as they were planned, and what became of each.

    <results_dir>/sweeps/<sweep_id>.json    the cells of one sweep, in order
    <results_dir>/cells/<cell_id>.json      what became of one: its run, who works on it, and how it ended

A cell is one combination of options, named by a hash of them. Its file is written by whoever works on it, while they
hold the lock of its run. That a cell *runs* is not written anywhere: it is that somebody holds this lock, so a process
that was killed leaves no false trace. That it is *done* is that its run has rows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from zoo.benchmark.runs.folder import LOCK, PROGRESS, ROWS
from zoo.files import write_json
from zoo.locks import held

State = Literal["not started", "running", "interrupted", "done", "failed"]
_MACHINE = (
    "results_dir=",
    "cache_dir=",
    "table=",
    "plugins=",
    "fail_fast=",
    "hydra.",
    "hydra/",
)  # of options: they tell no cells apart


@dataclass(frozen=True)
class Record:
    """What became of a cell.

    Attributes:
        run_id: its run; None: it failed before that was known.
        owner: host and process that last worked on it.
        started: when, in seconds since 1970.
        seconds: how long that took; None: it has not ended.
        reason: why it failed, in one line; None: it has not.
    """

    run_id: str | None
    owner: str
    started: float
    seconds: float | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Cell:
    """One cell, as it stands.

    Attributes:
        name: the options that tell it from the others of its sweep.
        options: all of them, but for those of the machine.
        share: of the training that is behind it, in [0, 1].
    """

    id: str
    name: str
    options: tuple[str, ...]
    state: State
    record: Record | None
    share: float


def of_machine(option: str) -> bool:
    """Whether an option says where and on what cells run, and nothing of what they are."""
    return option.lstrip("+~").startswith(_MACHINE)


def cell_id(overrides: Iterable[str]) -> str:
    """12 hex digits over the options of a cell, less those of the machine."""
    return _digest(sorted(o for o in overrides if not of_machine(o)))


class Ledger:
    """The files of one folder of results."""

    def __init__(self, results_dir: Path) -> None:
        self.results_dir = Path(results_dir)

    def plan(self, cells: Sequence[Sequence[str]], study: str = "") -> str:
        """Write down a sweep: the options of each of its cells, and the file that says them. Returns its id."""
        options = [[o for o in cell if not of_machine(o)] for cell in cells]
        sweep_id = _digest(sorted(cell_id(cell) for cell in options))
        write_json(self._sweep(sweep_id), {"cells": options, "study": study})
        return sweep_id

    def study(self, sweep_id: str) -> str:
        """The file that says its cells; empty: a command line did."""
        found: str = json.loads(self._sweep(sweep_id).read_text()).get("study", "")
        return found

    def done(self, cell: Sequence[str]) -> bool:
        """Whether a cell of these options is done."""
        return self._state(self.record(cell_id(cell))) == "done"

    def sweeps(self) -> list[str]:
        """The ids of all sweeps, the last one begun first."""
        files = sorted((self.results_dir / "sweeps").glob("*.json"), key=lambda f: f.stat().st_mtime, reverse=True)
        return [file.stem for file in files]

    def cells(self, sweep_id: str) -> list[Cell]:
        """All cells of a sweep, in its order."""
        planned: list[list[str]] = json.loads(self._sweep(sweep_id).read_text())["cells"]
        shared = set.intersection(*map(set, planned)) if len(planned) > 1 else set()
        return [self._cell(options, " ".join(o for o in options if o not in shared)) for options in planned]

    def note(self, cell: str, record: Record) -> None:
        """Write what became of a cell, atomically."""
        write_json(self._file(cell), asdict(record))

    def end(self, cell: str, record: Record, seconds: float, reason: str | None = None) -> None:
        """The same, at its end."""
        self.note(cell, replace(record, seconds=round(seconds, 3), reason=reason))

    def failures(self) -> dict[str, str]:
        """The runs whose last cell failed, by id, with the reason."""
        found = {}
        for file in sorted((self.results_dir / "cells").glob("*.json")):
            with suppress(OSError, ValueError, TypeError):  # a file of something else
                record = self.record(file.stem)
                if record and record.run_id and record.reason:
                    found[record.run_id] = record.reason
        return found

    def record(self, cell: str) -> Record | None:
        """What is written of a cell."""
        file = self._file(cell)
        return Record(**json.loads(file.read_text())) if file.exists() else None

    def lock(self, run_id: str) -> Path:
        return self.results_dir / run_id / LOCK

    def _cell(self, options: Sequence[str], name: str) -> Cell:
        identity = cell_id(options)
        record = self.record(identity)
        state, share = self._state(record), self._share(record)
        name = (name or " ".join(options)).replace("\\", "")  # Hydra escapes what it could misread
        return Cell(identity, name, tuple(options), state, record, share)

    def _state(self, record: Record | None) -> State:
        if record is None:
            return "not started"
        if record.run_id is not None:
            if (self.results_dir / record.run_id / ROWS).is_file():
                return "done"
            if held(self.lock(record.run_id)):
                return "running"
        if record.reason is not None:
            return "failed"
        return "interrupted" if record.seconds is None else "not started"  # it was done, and its run is gone

    def _share(self, record: Record | None) -> float:
        file = self.results_dir / (record.run_id if record and record.run_id else "") / PROGRESS
        try:
            return float(json.loads(file.read_text())["share"])
        except (OSError, ValueError, KeyError):
            return 0.0

    def _sweep(self, sweep_id: str) -> Path:
        return self.results_dir / "sweeps" / f"{sweep_id}.json"

    def _file(self, cell: str) -> Path:
        return self.results_dir / "cells" / f"{cell}.json"


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:12]
