"""Training losses from the event files of runs."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from tensorboard.backend.event_processing import event_accumulator

from zoo.benchmark.runs.folder import LOG, MANIFEST, course_of
from zoo.benchmark.tables import cells
from zoo.benchmark.tables.cells import Cell, seeded

POINTS = 200  # of a curve, at most
SMOOTHED = 20  # the moving average looks back over about this fraction of a run: 1/20
_TAG = "loss"


@dataclass(frozen=True)
class Curve:
    """Smoothed loss of one run: (step, loss) points."""

    cell: Cell
    seed: int
    points: list[tuple[int, float]]


def gather(table: pd.DataFrame, folders: Mapping[str, Path], runs_dir: Path) -> tuple[list[Curve], list[str]]:
    """Curves of all runs that train, cells in order; and the names of the runs that left none.

    Args:
        folders: of the runs.
        runs_dir: where other runs are, from which one may have taken over its training.
    """
    runs = table.drop_duplicates("run_id")
    runs = runs[runs["method"].map(seeded)]
    shared = _by_training([*dict.fromkeys([*folders.values(), *(path.parent for path in _manifests(runs_dir))])])
    curves, missing = [], []
    groups = cells.by_cell(runs)
    for cell in cells.in_order(groups):
        listed = groups[cell].sort_values("seed")[["run_id", "seed", "steps_run"]]
        for run, seed, steps in listed.itertuples(index=False, name=None):
            folder = folders[run]
            others = [other for other in shared.get(_training(folder), []) if other != folder]
            points = smooth(losses([*others, folder], math.inf if math.isnan(steps) else steps))
            if points:
                curves.append(Curve(cell, int(seed), points))
            else:
                missing.append(f"{cell}, seed {seed}")
    return curves, missing


def losses(folders: Sequence[Path], end: float = math.inf) -> dict[int, float]:
    """Loss by step up to ``end``, as logged in ``<folder>/train/``. A run that was resumed logs some steps twice: the
    last counts, and a later folder before an earlier one."""
    found: dict[int, float] = {}
    for folder in folders:
        found.update((event.step, event.value) for event in _events(folder / LOG) if event.step <= end)
    return dict(sorted(found.items()))


def smooth(values: Mapping[int, float]) -> list[tuple[int, float]]:
    """An exponential moving average over a twentieth of the run, thinned out to `POINTS`; the last step is kept."""
    if not values:
        return []
    mean = pd.Series(values, dtype=float).ewm(span=max(1, len(values) / SMOOTHED)).mean()
    places = sorted({round(i * (len(mean) - 1) / (POINTS - 1)) for i in range(POINTS)})
    steps = list(values)
    return [(steps[i], float(f"{mean.iloc[i]:.4g}")) for i in places]


def _events(folder: Path) -> Sequence[event_accumulator.ScalarEvent]:
    if not folder.is_dir():
        return []
    logging.getLogger("tensorboard").setLevel(logging.ERROR)  # it warns of every file that a kill cut off
    log = event_accumulator.EventAccumulator(str(folder), {event_accumulator.SCALARS: 0}, purge_orphaned_data=False)
    log.Reload()
    if _TAG not in log.Tags()[event_accumulator.SCALARS]:
        return []
    finite = [event for event in log.Scalars(_TAG) if abs(event.value) < float("inf")]
    return sorted(finite, key=lambda event: event.wall_time)


def _by_training(folders: Sequence[Path]) -> dict[str, list[Path]]:
    """Folders of runs whose trainings are the same as far as they go: one that only samples otherwise, or that trains
    longer at a constant rate, goes on from another's checkpoint, and its losses are in the other's log."""
    shared: dict[str, list[Path]] = {}
    for folder in folders:
        if training := _training(folder):
            shared.setdefault(training, []).append(folder)
    return shared


def _training(folder: Path) -> str:
    return course_of(folder) or ""


def _manifests(runs_dir: Path) -> Iterator[Path]:
    yield from sorted(runs_dir.glob(f"*/{MANIFEST}"))
