"""Cells of a table of results: what method, encoder and conditioner have in common over seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from zoo.benchmark.tables.text_table import number

COSTS = {
    "params": "parameters",
    "encoder_params": "of the encoder",
    "cond_params": "of the conditioner",
    "images_seen": "images seen",
    "train_seconds": "training s",
    "sample_seconds_per_image": "sampling s/image",
    "peak_memory_mb": "peak MB",
}
DIFFUSION = "diffusion"
UNSEEDED = ("grey", "mean", "truth")  # methods that draw nothing
_BASELINES = ("grey", "mean", "regression", "origin", "truth")


class Cell(NamedTuple):
    """What is averaged over seeds."""

    method: str
    encoder: str
    cond: str

    def __str__(self) -> str:
        pair = f"{self.encoder} × {self.cond}"
        if self.method == DIFFUSION:
            return pair
        return f"{self.method} ({pair})" if self.encoder or self.cond else self.method


CELL = list(Cell._fields)


def in_order(cells: Iterable[Cell]) -> list[Cell]:
    """Each once: the pairs, "none" first as it is the control, then the baselines."""

    def place(cell: Cell) -> tuple[object, ...]:
        known = _BASELINES.index(cell.method) if cell.method in _BASELINES else len(_BASELINES)
        return cell.method != DIFFUSION, known, cell.method, *_none_first(cell.encoder), *_none_first(cell.cond)

    return sorted(set(cells), key=place)


def of(table: pd.DataFrame) -> list[Cell]:
    """The cells of a table, in order."""
    return in_order(Cell(*values) for values in table[CELL].drop_duplicates().itertuples(index=False, name=None))


def by_cell(table: pd.DataFrame) -> dict[Cell, pd.DataFrame]:
    """The rows of each cell."""
    return {Cell(*map(str, key)): part for key, part in table.groupby(CELL, sort=False)}


def scores(table: pd.DataFrame, metric: str) -> tuple[list[list[str]], list[list[str]], list[str]]:
    """Encoder × conditioner cells of one metric, a line for each baseline, and footnotes on missing scores.

    A cell is the mean over runs, with ± the standard deviation and their number if there are several; ``*`` marks the
    best pair, a number in brackets refers to a footnote, an empty cell was never run. Either table may be empty.
    """
    of_metric = table[table["metric"] == metric]
    better = of_metric["higher_is_better"].iloc[0]
    groups = by_cell(of_metric)
    pairs = [cell for cell in in_order(groups) if cell.method == DIFFUSION]
    means = [mean for cell in pairs if not pd.isna(mean := groups[cell]["value"].mean())]
    best = None if better is None or not means else (max if better else min)(means)
    notes: list[str] = []
    conds = list(dict.fromkeys(cell.cond for cell in sorted(pairs, key=lambda cell: _none_first(cell.cond))))
    matrix = [["encoder", *conds]] if pairs else []
    for encoder in dict.fromkeys(cell.encoder for cell in pairs):
        line = [groups.get(Cell(DIFFUSION, encoder, cond)) for cond in conds]
        matrix.append([encoder, *("" if here is None else _score(here, best, notes) for here in line)])
    others = [[str(cell), _score(groups[cell], None, notes)] for cell in in_order(groups) if cell.method != DIFFUSION]
    return matrix, [["baseline", "score"], *others] if others else [], notes


def costs(table: pd.DataFrame) -> list[list[str]]:
    """What each cell takes: means over its runs."""
    runs = by_cell(table.drop_duplicates("run_id"))
    baselines = any(cell.method != DIFFUSION for cell in of(table))
    body = [[*(["method"] if baselines else []), "encoder", "cond", *COSTS.values()]]
    for cell in of(table):
        name = list(cell) if baselines else list(cell)[1:]
        body.append([*name, *(_amount(float(value)) for value in runs[cell][list(COSTS)].mean())])
    return body


def missing(here: pd.DataFrame, notes: list[str]) -> str:
    """The mark of rows without a value; their reason joins ``notes``."""
    return marked(next((note for note in here["note"] if note), "no reason given"), notes)


def marked(reason: str, notes: list[str]) -> str:
    """A dash with the number of a footnote, which is added if it is new."""
    if reason not in notes:
        notes.append(reason)
    return f"– [{notes.index(reason) + 1}]"


def runs_by(table: pd.DataFrame, column: str) -> Mapping[str, Sequence[str]]:
    """Ids of runs by what they have in a column, in order of first appearance."""
    runs = table.drop_duplicates(["run_id", column])
    return {str(key): list(part) for key, part in runs.groupby(column, sort=False)["run_id"]}


def _score(here: pd.DataFrame, best: float | None, notes: list[str]) -> str:
    values = here["value"].dropna()
    if values.empty:
        return missing(here, notes)
    text = number(values.mean())
    if len(values) > 1:
        text += f" ± {number(values.std())} (n={len(values)})"
    return f"{text} *" if values.mean() == best else f"{text}  "


def _none_first(name: str) -> tuple[bool, str]:
    return name != "none", name


def _amount(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 or value == int(value) else number(value)
