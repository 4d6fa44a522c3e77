"""Where sweeps stand: a line per cell, and the time that is left."""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import get_args

from zoo.benchmark.sweeps.ledger import Cell, Ledger, State
from zoo.benchmark.tables.text_table import render
from zoo.errors import ZooError


def seconds_left(cells: Sequence[Cell], now: float) -> float | None:
    """How long the cells that are not done will take, by the median of those that are, shared by the processes that
    are at work (at least one). None: nothing is done yet to go by. Failed cells are not waited for."""
    took = [cell.record.seconds for cell in cells if cell.state == "done" and cell.record and cell.record.seconds]
    left = [cell for cell in cells if cell.state in ("not started", "running", "interrupted")]
    if not left:
        return 0.0
    if not took:
        return None
    usual = statistics.median(took)
    running = [cell for cell in left if cell.state == "running" and cell.record]
    spent = sum(min(usual, now - cell.record.started) for cell in running if cell.record)
    return (usual * len(left) - spent) / max(1, len(running))


def table(cells: Sequence[Cell]) -> list[list[str]]:
    """A line per cell, under a head."""
    lines = [["cell", "state", "run", ""]]
    for cell in cells:
        run = (cell.record.run_id if cell.record else None) or ""
        state = f"running, {cell.share:.0%} trained" if cell.state == "running" else cell.state
        lines.append([cell.name, state, run, _remark(cell)])
    return lines


def status(given: argparse.Namespace) -> None:
    """What the command ``status`` does, with its arguments. Raises `ZooError` for a sweep that there is not."""
    ledger = Ledger(given.results_dir)
    known = ledger.sweeps()
    if not known:
        raise ZooError(f"no sweep was begun in {given.results_dir}; expected one of benchmarks/run.py -m there")
    if given.sweep not in (None, "all", *known):
        raise ZooError(f"no sweep {given.sweep!r} in {given.results_dir}; there are: {', '.join(known)}")
    wanted = known if given.sweep == "all" else [given.sweep or known[0]]
    if given.json:
        print(json.dumps({sweep: [asdict(cell) for cell in ledger.cells(sweep)] for sweep in wanted}, indent=1))
    else:
        print("\n\n".join(_told(sweep, ledger.study(sweep), ledger.cells(sweep)) for sweep in wanted))


def _told(sweep: str, study: str, cells: Sequence[Cell]) -> str:
    count = Counter(cell.state for cell in cells)
    totals = ", ".join(f"{count[state]} {state}" for state in get_args(State) if count[state])
    left = seconds_left(cells, time.time())
    time_left = "unknown" if left is None else _duration(left)
    lines = render(table(cells), left=(0, 1, 2, 3))
    return f"sweep {sweep}{study and f' of {study}'}\n{lines}\n{len(cells)} cells: {totals}; time left: {time_left}"


def _remark(cell: Cell) -> str:
    if cell.state == "failed" and cell.record:
        return cell.record.reason or ""
    if cell.state == "interrupted":
        return "begun, and nobody is at work: goes on when the sweep's command is given again"
    if cell.record is None:
        return ""
    if cell.state == "running":
        return f"for {_duration(time.time() - cell.record.started)}, by {cell.record.owner}"
    return f"took {_duration(cell.record.seconds)}" if cell.record.seconds else ""


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
