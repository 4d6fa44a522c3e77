"""What each cell scored and took, with spread over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from zoo.benchmark.tables import cells
from zoo.benchmark.tables.cells import COSTS, DIFFUSION, Cell, seeded
from zoo.benchmark.tables.text_table import ARROW, SENSE, beside, number

_PREFERRED = ("st_lpips", "psnr")  # to look at first, where a table has them
_ROUNDING = 1e-6  # relative: devices add up in orders of their own


@dataclass(frozen=True)
class Metric:
    """A column of scores; ``higher_is_better``: None where neither is; ``primary``: named before anything ran."""

    name: str
    higher_is_better: bool | None
    primary: bool = False

    @property
    def sense(self) -> str:
        return SENSE[self.higher_is_better] + ("; primary, named beforehand" if self.primary else "")

    @property
    def arrow(self) -> str:
        return ARROW[self.higher_is_better]


@dataclass(frozen=True)
class Score:
    """One metric of one cell.

    Attributes:
        mean, sd: over the runs that have a value; None without any, and without a second one.
        n: number of those runs.
        text, spread: the same for people; digits down to the second one of the standard deviation.
        told: values by seed, and why there are holes.
        reasons: why, alone.
        best: whether it is decided that no other pair is as good; see `zoo.benchmark.analysis.best`.
    """

    mean: float | None
    sd: float | None
    n: int
    text: str
    spread: str
    told: str
    reasons: tuple[str, ...] = ()
    best: bool = False


@dataclass(frozen=True)
class Line:
    """A cell with its scores, by metric, and costs, by column of the table (means over its runs)."""

    cell: Cell
    seeds: list[int]
    scores: dict[str, Score]
    costs: dict[str, float]

    @property
    def is_baseline(self) -> bool:
        return self.cell.method != DIFFUSION

    @property
    def trains(self) -> bool:
        return seeded(self.cell.method)


def metrics(table: pd.DataFrame, names: Sequence[str], primary: str = "") -> list[Metric]:
    """Those named, in that order, one of which may be ``primary``."""
    better = table.drop_duplicates("metric").set_index("metric")["higher_is_better"]
    return [Metric(name, None if pd.isna(better[name]) else bool(better[name]), name == primary) for name in names]


def first_choice(known: Sequence[Metric], wanted: Sequence[str], candidates: Sequence[str]) -> str | None:
    """The metric to look at first, of ``candidates``: the first that was asked for, else a preferred one, else the
    first with a better side, else any."""
    sided = [metric.name for metric in known if metric.higher_is_better is not None]
    order = [*wanted, *_PREFERRED, *sided, *(metric.name for metric in known)]
    return next((name for name in order if name in candidates), None)


def constants(table: pd.DataFrame, known: Sequence[Metric]) -> dict[str, float]:
    """Metrics without a better side that are the same in all of several runs, as those of the truth alone are, with
    their values: they tell nothing of a cell."""
    sideless = [metric.name for metric in known if metric.higher_is_better is None]
    values = table[table["metric"].isin(sideless)].groupby("metric", sort=False)["value"]
    return {
        str(name): float(some.iloc[0])
        for name, some in values
        if len(some) > 1 and bool(some.notna().all()) and some.max() - some.min() <= _ROUNDING * some.abs().max()
    }


def lines(table: pd.DataFrame, best: Mapping[str, Cell | None]) -> list[Line]:
    """One for each cell, in order; ``best``: by metric, the cell to mark."""
    groups = cells.by_cell(table)
    made = []
    for cell in cells.of(table):
        here = groups[cell]
        runs = here.drop_duplicates("run_id")
        by_metric = dict(iter(here.groupby("metric", sort=False)))
        scores = {str(name): _score(part, best.get(str(name)) == cell) for name, part in by_metric.items()}
        seeds = sorted({int(seed) for seed in runs["seed"]})
        costs = {name: float(runs[name].mean()) for name in COSTS}
        made.append(Line(cell, seeds, scores, costs))
    return made


def missing(found: Sequence[Line], known: Sequence[Metric]) -> list[str]:
    """A sentence for each metric and reason for which scores are missing."""
    told = []
    for metric in known:
        of_metric = {line.cell: line.scores[metric.name] for line in found if metric.name in line.scores}
        for reason in dict.fromkeys(reason for score in of_metric.values() for reason in score.reasons):
            concerned = [str(cell) for cell, score in of_metric.items() if reason in score.reasons]
            where = "all cells" if len(concerned) == len(found) else ", ".join(concerned)
            told.append(f"{metric.name} ({where}): {reason}")
    return told


def _score(here: pd.DataFrame, best: bool) -> Score:
    valued = here.dropna(subset="value").sort_values("seed")
    told = [f"seed {seed}: {number(value)}" for seed, value in zip(valued["seed"], valued["value"])]
    why = tuple(dict.fromkeys(note or "no reason given" for note in here.loc[here["value"].isna(), "note"]))
    told += [f"no value: {reason}" for reason in why]
    n = len(valued)
    if not n:
        return Score(None, None, 0, "–", "", "; ".join(told), why)
    mean, sd = float(valued["value"].mean()), float(valued["value"].std()) if n > 1 else None
    text, deviation = (number(mean), "") if sd is None else beside(mean, sd)
    spread = f"± {deviation}, n={n}" if deviation else f"n={n}"
    return Score(mean, sd, n, text, spread, "; ".join(told), why, best)
