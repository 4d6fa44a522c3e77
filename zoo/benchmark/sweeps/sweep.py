"""A sweep: cells that fail do not stop the others, cells that others work on are left to them, and the end is told.

Each cell is one job of whatever launcher Hydra was given; here in one process after the other, or in several. The same
command may run any number of times, also at once: what is done is skipped, what was begun goes on.
"""

from __future__ import annotations

import os
import platform
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from zoo.benchmark.config.mending import MENDABLE, Refused, SweepError, one_line, tell
from zoo.benchmark.config.processes import MAIN_PROCESS
from zoo.benchmark.sweeps.ledger import Cell, Ledger, Record, cell_id, of_machine
from zoo.locks import HeldError, held
from zoo.plugins import blame

_PAUSE = 2.0  # seconds between looks at cells that others work on

OnClaimed = Callable[[str, bool], None]  # (a run's id, whether it is done already)


class Planner(Callback):
    """Writes down what a sweep will do before it does it. A Hydra callback, see configs/config.yaml."""

    planned: tuple[Ledger, str] | None = None  # of this process's sweep: set once

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        from hydra._internal.core_plugins.basic_sweeper import BasicSweeper

        if Planner.planned is None:
            parser = OverridesParser.create(config_loader=GlobalHydra.instance().config_loader())
            overrides = parser.parse_overrides(list(config.hydra.overrides.task))
            try:
                (cells,) = BasicSweeper.split_arguments(overrides, None)
            except HydraException as error:  # of a callback Hydra would only warn, and run what nobody keeps account of
                raise Refused(one_line(error)) from error
            ledger = Ledger(Path(config.results_dir))
            Planner.planned = ledger, ledger.plan(cells)


@contextmanager
def accounted(config: DictConfig) -> Iterator[OnClaimed]:
    """Around one cell: writes down whose it is, once that is known, and how it ended. Of exceptions none but Ctrl-C
    comes out: the others go on."""
    if not MAIN_PROCESS:  # of one run that several processes train: it only trains
        yield lambda *_: None
        return
    ledger = Ledger(Path(config.results_dir))
    cell = cell_id(HydraConfig.get().overrides.task)
    record = Record(None, f"{platform.node()}/{os.getpid()}", time.time())
    finished = False

    def claimed(run_id: str, done: bool) -> None:
        nonlocal record, finished
        record, finished = replace(record, run_id=run_id), done
        before = ledger.record(cell)
        if not done or before is None or before.run_id != run_id:
            ledger.note(cell, record)

    def end(reason: str | None = None) -> None:
        ledger.end(cell, record, time.time() - record.started, reason)

    try:
        yield claimed
    except HeldError as other:
        print(f"{other.folder.name}: another process is at work on this run, which is left to it", flush=True)
        known = ledger.record(cell)
        if known is None or known.run_id != other.folder.name:  # it works for another sweep
            ledger.note(cell, replace(record, run_id=other.folder.name, owner="another process"))
    except (Exception, SystemExit) as error:
        if isinstance(error, MENDABLE) or blame(error):
            tell(error)
            end(one_line(error))
        elif isinstance(error, SystemExit):
            raise
        else:
            traceback.print_exc()
            end(f"{type(error).__name__}: {one_line(error)}")
    else:
        if not finished:
            end()


@contextmanager
def seen_through(main: Callable[[], None]) -> Iterator[None]:
    """Around a call of ``main``, a Hydra application: if that was asked for a sweep, go on until all its cells are done
    or have failed.

    Raises:
        SweepError: some failed.
    """
    if not MAIN_PROCESS:
        yield
        return
    began = time.time()
    try:
        yield
    except MENDABLE:
        raise
    except Exception as error:  # of a launcher: a worker of it died, say
        if Planner.planned is None:
            raise
        print(f"error: the launcher failed: {one_line(error)}; its cells are tried one by one", file=sys.stderr)
        _one_by_one(*Planner.planned, main)
    if Planner.planned is None:  # nothing was swept: --help, or --cfg
        return
    (ledger, sweep), Planner.planned = Planner.planned, None  # this process may be asked for another
    _take_over(ledger, sweep, main)
    cells = ledger.cells(sweep)
    left = [cell for cell in cells if cell.state != "done"]
    print(f"\nsweep {sweep}: {len(cells) - len(left)} of {len(cells)} cells done in {time.time() - began:.0f} s")
    for cell in left:
        print(f"{cell.state}: {cell.name}: {_reason(cell)}", file=sys.stderr)
    if left:
        raise SweepError(f"{len(left)} of {len(cells)} cells of the sweep are not done; see above")


def _one_by_one(ledger: Ledger, sweep: str, main: Callable[[], None]) -> None:
    """Launch each cell that a broken launcher left undone by itself: one that breaks it again has failed."""
    for cell in ledger.cells(sweep):
        if cell.state in ("not started", "interrupted"):
            try:
                _launch(cell, main)
            except MENDABLE:
                raise
            except Exception as error:
                record = ledger.record(cell.id) or Record(None, "a launcher", time.time())
                ledger.end(cell.id, record, 0.0, f"its process died: {type(error).__name__}: {one_line(error)}")


def _launch(cell: Cell, main: Callable[[], None]) -> None:
    """One cell as a sweep of its own, on the same machine and launcher."""
    arguments = sys.argv[1:]
    sys.argv[1:] = [*(argument for argument in arguments if of_machine(argument)), *cell.options, "--multirun"]
    try:
        main()
    finally:
        sys.argv[1:] = arguments


def _take_over(ledger: Ledger, sweep: str, main: Callable[[], None]) -> None:
    """Wait for the cells that other processes work on; those that they leave unfinished are finished here."""
    told: set[str] = set()
    tried: set[str] = set()
    while True:
        left = [cell for cell in ledger.cells(sweep) if cell.state == "interrupted" and cell.id not in tried]
        for cell in left:
            tried.add(cell.id)
            _launch(cell, main)
        busy = {cell.id: cell for cell in ledger.cells(sweep) if cell.state == "running"}
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
    return "its process ended without a word; give the same command again, and it goes on"
