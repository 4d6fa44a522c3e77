"""A sweep: cells that fail do not stop the others, cells that others work on are left to them, and the end is told.

Each cell is one job of whatever launcher Hydra was given; here in one process after the other, or in several. The same
command may run any number of times, also at once: what is done is skipped, what was begun goes on.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hydra.types import TaskFunction

from zoo.benchmark.config.mending import MENDABLE, SweepError, one_line
from zoo.benchmark.config.processes import MAIN_PROCESS
from zoo.benchmark.sweeps.accounting import FailedFast
from zoo.benchmark.sweeps.checking import check
from zoo.benchmark.sweeps.launching import Launch, Launcher, launcher
from zoo.benchmark.sweeps.ledger import Cell, Ledger, Record
from zoo.benchmark.sweeps.planning import Asked, cells_of
from zoo.locks import held

_PAUSE = 2.0  # seconds between looks at cells that others work on


@contextmanager
def sweep(given: Asked, task: TaskFunction) -> Iterator[Launch]:
    """Check all cells; yield what launches them, to be called in the block; then go on until all of them are done or
    have failed.

    Args:
        given: which cells.
        task: does one of them, and says by `accounted` what became of it.

    Raises:
        ZooError: some cannot run, and none was started.
        SweepError: some failed.
    """
    began = time.time()
    with launcher(given.machine, task) as launching:
        cells = cells_of(given, launching.expanded, launching.compose)
        ledger = Ledger(Path(launching.config.results_dir))
        check([cell for cell in cells if not ledger.done(cell)], launching.compose, of=len(cells))
        if not MAIN_PROCESS:  # of one run that several processes train: it only trains
            yield launching.all_of(cells)
            return
        planned = ledger.plan(cells, "" if given.study is None else str(given.study.path))
        if given.study is not None:
            print(f"{given.study.path}: {len(cells)} cells; facezoo status tells how they stand", flush=True)
        try:
            try:
                yield launching.all_of(cells)
            except MENDABLE:
                raise
            except Exception as error:  # of a launcher: a worker of it died, say
                print(f"error: the launcher failed: {one_line(error)}; its cells are tried one by one", file=sys.stderr)
                _one_by_one(ledger, planned, launching)
            _take_over(ledger, planned, launching)
        except FailedFast:
            pass
    _tell_end(ledger, planned, time.time() - began)


def _one_by_one(ledger: Ledger, planned: str, launching: Launcher) -> None:
    """Launch each cell that a broken launcher left undone by itself: one that breaks it again has failed."""
    for cell in ledger.cells(planned):
        if cell.state in ("not started", "interrupted"):
            try:
                launching.launch(cell.options)
            except MENDABLE:
                raise
            except Exception as error:
                record = ledger.record(cell.id) or Record(None, "a launcher", time.time())
                ledger.end(cell.id, record, 0.0, f"its process died: {type(error).__name__}: {one_line(error)}")


def _tell_end(ledger: Ledger, planned: str, seconds: float) -> None:
    cells = ledger.cells(planned)
    left = [cell for cell in cells if cell.state != "done"]
    print(f"\nsweep {planned}: {len(cells) - len(left)} of {len(cells)} cells done in {seconds:.0f} s")
    for cell in left:
        print(f"{cell.state}: {cell.name}: {_reason(cell)}", file=sys.stderr)
    if left:
        raise SweepError(f"{len(left)} of {len(cells)} cells of the sweep are not done; see above")


def _take_over(ledger: Ledger, planned: str, launching: Launcher) -> None:
    """Wait for the cells that other processes work on; those that they leave unfinished are finished here."""
    told: set[str] = set()
    tried: set[str] = set()
    while True:
        left = [cell for cell in ledger.cells(planned) if cell.state == "interrupted" and cell.id not in tried]
        for cell in left:
            tried.add(cell.id)
            launching.launch(cell.options)
        busy = {cell.id: cell for cell in ledger.cells(planned) if cell.state == "running"}
        if not left and not busy:
            return
        if busy.keys() - told:
            print(f"waiting for {len(busy)} cells that other processes work on", flush=True)
        told |= busy.keys()
        tried -= busy.keys()  # whoever works on them now may die, too
        while busy and all(_held(ledger, cell) for cell in busy.values()):
            time.sleep(_PAUSE)


def _held(ledger: Ledger, cell: Cell) -> bool:
    return cell.record is not None and cell.record.run_id is not None and held(ledger.lock(cell.record.run_id))


def _reason(cell: Cell) -> str:
    if cell.record is not None and cell.record.reason is not None:
        return cell.record.reason
    if cell.state == "not started":
        return "another one failed before (--fail-fast)"
    return "its process ended without a word; give the same command again, and it goes on"
