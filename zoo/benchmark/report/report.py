"""One self-contained HTML page from tables of results and what runs left."""

from __future__ import annotations

import argparse
from datetime import datetime, timezone
from pathlib import Path

from zoo.benchmark.analysis import scores, study
from zoo.benchmark.analysis.given import completed
from zoo.benchmark.analysis.study import Study
from zoo.benchmark.report import curves, facts, pictures
from zoo.benchmark.report.pictures import Pictures
from zoo.benchmark.report.render import Contents, html
from zoo.errors import ZooError
from zoo.files import remove_parts, replacing

_NO_GRID = "None of the runs left a sample grid (sample_grid.npz in its folder); runs of an older version did not."
_NOT_WANTED = "The pictures were left out (--no-pictures)."
_NO_VALUES = "No metric with a better side has values per image for them, by which photos could be chosen."


def gather(found: Study, wanted: list[str], *, with_pictures: bool) -> Contents:
    """Everything that the page shows; ``wanted``: metrics, the first of which is looked at first.

    Raises:
        ZooError: a file that a run left is broken.
    """
    scored = [name for line in found.lines for name, score in line.scores.items() if score.n]
    folders = _folders(found)
    drawn, without = curves.gather(found.table, folders, found.runs_dir)
    shown, why_not = _pictures(found, folders, wanted) if with_pictures else (None, _NOT_WANTED)
    return Contents(
        study=found,
        facts=facts.gather(found, f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC"),
        choice=scores.first_choice(found.metrics, wanted, scored),
        every_column=bool(wanted) or all(metric.higher_is_better is None for metric in found.metrics),
        curves=drawn,
        without_curve=without,
        pictures=shown,
        no_pictures=why_not,
    )


def report(given: argparse.Namespace) -> None:
    """Write what `zoo.commands.report` was asked for."""
    if given.out.exists():
        raise ZooError(f"{given.out} exists and is not overwritten; choose another --out or delete it")
    remove_parts(given.out.parent)
    given = completed(given)
    found = study.open_study(given)
    contents = gather(found, given.metric, with_pictures=given.pictures)
    page = html(contents)
    with replacing(given.out) as temporary:
        temporary.write_text(page, encoding="utf-8", newline="\n")
    print(f"{given.out}: {len(page.encode()) / 1e6:.1f} MB, {len(found.lines)} cells")
    if contents.pictures is not None:
        print("it shows photos of the test set: mind their licence before you send it round (--no-pictures)")


def _folders(found: Study) -> dict[str, Path]:
    """Where each run lies: in the folder of the table that bears its id, else in that of the runs."""
    of_tables = {table.parent.name: table.parent for table in found.tables}
    return {run: of_tables.get(run, found.runs_dir / run) for run in found.table["run_id"].unique()}


def _pictures(found: Study, folders: dict[str, Path], wanted: list[str]) -> tuple[Pictures | None, str]:
    """The pictures, or why there are none."""
    if not any((folder / pictures.SAMPLE_GRID).is_file() for folder in folders.values()):
        return None, _NO_GRID
    every = scores.metrics(found.table, list(dict.fromkeys(found.table["metric"])))
    sided = [metric for metric in every if metric.higher_is_better is not None and metric.name in found.per_image]
    chosen = scores.first_choice(sided, wanted, [metric.name for metric in sided])
    if chosen is None:
        return None, _NO_VALUES
    metric = next(metric for metric in sided if metric.name == chosen)
    shown = pictures.gather(found.table, folders, found.per_image, metric)
    if shown is not None and not shown.photos:
        return None, f"No photo is in the sample grids of all cells and has a value of {metric.name}."
    return shown, _NO_GRID
