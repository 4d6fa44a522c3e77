"""One self-contained HTML page from tables of results and what runs left."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from pathlib import Path

import pandas as pd

from zoo.benchmark.analysis import comparisons
from zoo.benchmark.analysis.compare import refuse_mixtures
from zoo.benchmark.config.options import unknown
from zoo.benchmark.report import curves, differences, facts, pictures, scores
from zoo.benchmark.report.pictures import Pictures
from zoo.benchmark.report.render import Contents, html
from zoo.benchmark.report.scores import Metric
from zoo.benchmark.tables import table_files
from zoo.benchmark.tables.cells import Cell
from zoo.errors import ZooError
from zoo.files import replacing

_NO_STRIPS = "None of the runs left strips of photos (strips.npz in its folder); runs of an older version did not."
_NOT_WANTED = "The pictures were left out (--no-pictures)."
_NO_VALUES = "No metric with a better side has values per image for them, by which photos could be chosen."


def gather(
    table: pd.DataFrame,
    tables: Sequence[Path],
    runs_dir: Path,
    wanted: Sequence[str],
    base: Cell | None,
    *,
    with_pictures: bool,
) -> Contents:
    """Everything that the page shows.

    Args:
        tables, runs_dir: where records of protocols, values per image, strips and logs are looked for.
        wanted: metrics to show, the first of which is looked at first; all where it is empty.

    Raises:
        ZooError: a metric is not in the table, or a file is broken.
    """
    every = scores.metrics(table, list(dict.fromkeys(table["metric"])))
    names = _names(every, wanted)
    metrics = scores.metrics(table, names)
    lines = scores.lines(table[table["metric"].isin(names)], metrics)
    scored = [name for name in names if any(name in line.scores and line.scores[name].n for line in lines)]
    per_image = table_files.per_image(tables, runs_dir, table["run_id"].unique(), [metric.name for metric in every])
    folders = _folders(tables, runs_dir, table["run_id"].unique())
    drawn, without = curves.gather(table, folders, runs_dir)
    shown, why_not = None, _NOT_WANTED
    if with_pictures:
        shown, why_not = _pictures(table, folders, per_image, every, wanted)
    return Contents(
        facts=facts.gather(table, tables, runs_dir, f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC"),
        metrics=metrics,
        lines=lines,
        choice=scores.first_choice(metrics, wanted, scored),
        every_column=bool(wanted) or all(metric.higher_is_better is None for metric in metrics),
        base="" if base is None else str(base),
        differences={} if base is None else differences.gather(table, metrics, base, per_image),
        curves=drawn,
        without_curve=without,
        pictures=shown,
        no_pictures=why_not,
    )


def report(given: argparse.Namespace) -> None:
    """What the command ``report`` does, with its arguments. Raises `ZooError` for what a user can mend."""
    if given.out.exists():
        raise ZooError(f"{given.out} exists and is not overwritten; choose another --out or delete it")
    tables = table_files.paths(given.tables)
    table = table_files.load(tables)
    base = comparisons.baseline(table, given.baseline) if given.baseline else None
    if not given.force:
        refuse_mixtures(table, tables, given.runs)
    contents = gather(table, tables, given.runs, given.metric, base, with_pictures=given.pictures)
    page = html(contents)
    with replacing(given.out) as temporary:
        temporary.write_text(page, encoding="utf-8", newline="\n")
    print(f"{given.out}: {len(page.encode()) / 1e6:.1f} MB, {len(contents.lines)} cells")
    if contents.pictures is not None:
        print("it shows photos of the test set: mind their licence before you send it round (--no-pictures)")


def _names(every: Sequence[Metric], wanted: Sequence[str]) -> list[str]:
    known = [metric.name for metric in every]
    for metric in wanted:
        if metric not in known:
            raise ZooError(unknown("metric", metric, known))
    return list(dict.fromkeys(wanted)) or known


def _folders(tables: Sequence[Path], runs_dir: Path, run_ids: Iterable[str]) -> dict[str, Path]:
    """Where each run lies: in the folder of the table that bears its id, else in ``runs_dir``."""
    of_tables = {table.parent.name: table.parent for table in tables}
    return {run: of_tables.get(run, runs_dir / run) for run in run_ids}


def _pictures(
    table: pd.DataFrame,
    folders: dict[str, Path],
    per_image: pd.DataFrame,
    every: Sequence[Metric],
    wanted: Sequence[str],
) -> tuple[Pictures | None, str]:
    """The pictures, or why there are none."""
    if not any((folder / pictures.STRIPS).is_file() for folder in folders.values()):
        return None, _NO_STRIPS
    sided = [metric for metric in every if metric.higher_is_better is not None and metric.name in per_image]
    chosen = scores.first_choice(sided, wanted, [metric.name for metric in sided])
    if chosen is None:
        return None, _NO_VALUES
    metric = next(metric for metric in sided if metric.name == chosen)
    found = pictures.gather(table, folders, per_image, metric)
    if found is not None and not found.photos:
        return None, f"No photo is in the strips of all cells and has a value of {metric.name}."
    return found, _NO_STRIPS
