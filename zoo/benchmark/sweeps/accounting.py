"""What becomes of one cell of a sweep, written down by whoever works on it."""

from __future__ import annotations

import os
import platform
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from zoo.benchmark.config.mending import MENDABLE, one_line, tell
from zoo.benchmark.config.processes import MAIN_PROCESS
from zoo.benchmark.sweeps.ledger import Ledger, Record, cell_id
from zoo.locks import HeldError
from zoo.plugins import blame

OnClaimed = Callable[[str, bool], None]  # (a run's id, whether it is done already)


class FailedFast(BaseException):
    """A cell failed, and no other shall be started (``fail_fast``). Hydra's launchers go on after any `Exception`."""


@contextmanager
def accounted(config: DictConfig) -> Iterator[OnClaimed]:
    """Around one cell: writes down whose it is, once that is known, and how it ended. Of exceptions none but Ctrl-C
    comes out: the others go on. Raises `FailedFast` where they shall not."""
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
        if config.fail_fast:
            raise FailedFast from error
    else:
        if not finished:
            end()
