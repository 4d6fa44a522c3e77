"""What tables of results say, as values: read, held to be comparable, averaged and compared. Renderers show it."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from zoo.benchmark.analysis import comparisons, scores
from zoo.benchmark.analysis.best import best
from zoo.benchmark.analysis.comparisons import Comparison, Differences, Scores
from zoo.benchmark.analysis.given import completed, study_of
from zoo.benchmark.analysis.scores import Line, Metric
from zoo.benchmark.tables import cells, comparable, protocols, specs, table_files
from zoo.benchmark.tables.axes import Axes
from zoo.benchmark.tables.cells import DIFFUSION, Cell
from zoo.benchmark.tables.comparable import Table
from zoo.benchmark.tables.protocols import Protocols
from zoo.benchmark.tables.text_table import number, which
from zoo.errors import ZooError, unknown


@dataclass(frozen=True)
class Study:
    """All that is known of some tables.

    Attributes:
        chosen: the rows that were chosen, in their cells, and the records of their runs.
        metrics: those that are shown, in order.
        lines: the cells, in order.
        base: the cell that differences are to, if one was named.
        compared: by metric, of those whose p count.
        per_image: values by (run_id, image), of the metrics that have such.
        told: what a reader should know of how the numbers came about.
        primary: the metric that was named before anything ran; empty: none.
    """

    tables: list[Path]
    runs_dir: Path
    axes: Axes
    chosen: Table
    metrics: list[Metric]
    lines: list[Line]
    base: Cell | None
    compared: Mapping[str, Comparison]
    differences: dict[str, Differences]
    per_image: pd.DataFrame
    protocols: Protocols
    told: list[str]
    primary: str

    @property
    def table(self) -> pd.DataFrame:
        """The rows that were chosen."""
        return self.chosen.rows

    def against(self, given: str) -> Study:
        """The same with differences to another cell, as after ``--baseline``. Raises `ZooError` as `baseline` does."""
        base = baseline(self.chosen, given)
        found = _differences(self.compared, self.metrics, base, self.axes, self.primary)
        return replace(self, base=base, differences=found)


def open_study(given: argparse.Namespace) -> Study:
    """Of the arguments of `zoo.commands.compare.add_study`.

    Raises `ZooError` for a table that cannot be read, runs that are not comparable, or a name that nothing has.
    """
    given = completed(given)
    if given.rows == given.cols:
        raise ZooError(f"--rows and --cols are both {given.rows}; a table has two axes")
    tables = table_files.paths(given.tables)
    rows = table_files.load(tables)
    records = specs.find(tables, given.runs, rows["run_id"].unique())
    rows = comparable.choose(rows, records, given.where)
    lacking: list[str] = []
    if (of_file := study_of(given)) is not None:
        from zoo.benchmark.analysis.of_study import rows_of  # brings in Hydra and torch

        rows, lacking = rows_of(rows, records, of_file, given.only)
    axes = Axes(given.rows, given.cols)
    by_protocol = {str(key): list(part) for key, part in rows.groupby("protocol_id", sort=False)["run_id"]}
    known = protocols.find(tables, given.runs, by_protocol)
    chosen = Table(comparable.arrange(rows, records, axes), records, known, axes)
    primary, disagreement = _primary(chosen)
    metrics, untold = _shown(chosen.rows, given.metric, primary)
    base = baseline(chosen, given.baseline) if given.baseline else None
    chosen.check()
    per_image = table_files.per_image(tables, given.runs, rows["run_id"].unique())
    people = table_files.people(tables, given.runs, rows["run_id"].unique())
    compared = {
        name: Comparison(Scores.of(chosen.rows, name, per_image, people, chosen.samplings(name)))
        for name in _judged(chosen.rows, metrics, primary)
    }
    marked = {metric.name: best(compared[metric.name]) for metric in metrics}
    return Study(
        tables=tables,
        runs_dir=given.runs,
        axes=axes,
        chosen=chosen,
        metrics=metrics,
        lines=scores.lines(chosen.rows[chosen.rows["metric"].isin(marked)], marked),
        base=base,
        compared=compared,
        differences={} if base is None else _differences(compared, metrics, base, axes, primary),
        per_image=per_image,
        protocols=known,
        told=chosen.told() + disagreement + untold + lacking,
        primary=primary,
    )


def baseline(table: Table, given: str) -> Cell:
    """The one cell that ``key=value,…`` names, where the method is diffusion unless given.

    Raises:
        ZooError: no cell, or several.
    """
    conditions = re.split(r",(?=[\w.]+=)", given)
    if not all("=" in condition for condition in conditions):
        raise ZooError(f"--baseline {given}: expected key=value,…, as in encoder=unet,cond=concat")
    if not any(condition.startswith("method=") for condition in conditions):
        conditions = [f"method={DIFFUSION}", *conditions]
    left = table.rows
    for condition in conditions:
        left = comparable.choose(left, table.records, [condition], "--baseline")
    found = cells.of(left)
    if len(found) > 1:
        named = ", ".join(map(str, found[:6])) + (", …" if len(found) > 6 else "")
        raise ZooError(f"--baseline {given} fits {len(found)} cells ({named}); name one: encoder=…,cond=…")
    return found[0]


def _judged(table: pd.DataFrame, metrics: Sequence[Metric], primary: str) -> list[str]:
    """Of which metrics p counts. Where one is primary that of all others of the table does, whichever are shown."""
    every = _metrics(table, []) if primary else []
    return list(dict.fromkeys([*every, *(metric.name for metric in metrics)]))


def _differences(
    compared: Mapping[str, Comparison], metrics: Sequence[Metric], base: Cell, axes: Axes, primary: str
) -> dict[str, Differences]:
    """Of ``metrics``, adjusted for all that are ``compared``."""
    raw = {name: comparisons.differences(one, base, (axes.rows, axes.cols)) for name, one in compared.items()}
    better = {name: one.scores.higher_is_better for name, one in compared.items()}
    adjusted = comparisons.adjust(raw, better, primary)
    return {metric.name: adjusted[metric.name] for metric in metrics}


def _shown(table: pd.DataFrame, wanted: Sequence[str], primary: str) -> tuple[list[Metric], list[str]]:
    """The metrics that are shown, and a line for each that is the same in all runs: shown only if it is wanted."""
    every = scores.metrics(table, _metrics(table, wanted), primary)
    constants = {} if wanted else scores.constants(table, every)
    shown = [metric for metric in every if metric.name not in constants]
    if not shown:
        return every, []
    return shown, [f"{name} is {number(value)} in all runs" for name, value in constants.items()]


def _primary(table: Table) -> tuple[str, list[str]]:
    """The one metric that all runs name as primary; where they do not agree none is, and a line says so."""
    named: dict[str, list[str]] = {}
    for run in table.rows["run_id"].unique():
        named.setdefault(table.records[run].primary if run in table.records else "", []).append(run)
    if len(named) == 1:
        return next(iter(named)), []
    told = ", ".join(f"{name or 'none'} in {which(runs)}" for name, runs in sorted(named.items()))
    return "", [f"runs do not name the same metric as primary ({told}), so none is"]


def _metrics(table: pd.DataFrame, wanted: Sequence[str]) -> list[str]:
    known = list(dict.fromkeys(table["metric"]))
    for metric in wanted:
        if metric not in known:
            raise ZooError(unknown("metric", metric, known))
    return list(dict.fromkeys(wanted)) or known
