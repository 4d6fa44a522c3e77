"""Differences of cells to a baseline, and main effects, as tables with intervals; `contrasts` says how."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from zoo.benchmark.analysis.contrasts import (
    Additive,
    Contrast,
    Estimate,
    Floats,
    Ints,
    estimate,
    holm,
    interaction,
    paired,
)
from zoo.benchmark.config.options import unknown
from zoo.benchmark.tables import cells
from zoo.benchmark.tables.cells import CELL, DIFFUSION, UNSEEDED, Cell
from zoo.benchmark.tables.rows import COLUMNS
from zoo.benchmark.tables.text_table import number
from zoo.errors import ZooError

LEVEL = 0.05
ONE_SEED = "one seed: other seeds may differ"
_APART = "no seed in common"
_STILL = "seeds do not vary at all: nothing follows"
_HEAD = ["difference", "95 % interval", "p", "p (Holm)", "", "seeds", "images"]


def baseline(table: pd.DataFrame, given: str) -> Cell:
    """The one cell that ``column=value,…`` names, where the method is diffusion unless given.

    Raises:
        ZooError: no cell, or several.
    """
    chosen = {"method": DIFFUSION}
    for part in re.split(rf",(?=(?:{'|'.join(COLUMNS)})=)", given):
        column, equals, value = part.partition("=")
        if not equals:
            raise ZooError(f"--baseline {given}: expected column=value,…, as in encoder=unet,cond=concat")
        if column not in COLUMNS:
            raise ZooError(f"--baseline: {unknown('column', column, COLUMNS)}")
        chosen[column] = value
    left = table.drop_duplicates([*CELL, *(column for column in chosen if column not in CELL)])
    for column, value in chosen.items():
        known = left[column].astype(str)
        if value not in set(known):
            raise ZooError(f"--baseline {given}: {unknown(column, value, set(known))}")
        left = left[known == value]
    found = cells.of(left)
    if len(found) > 1:
        named = ", ".join(map(str, found[:6])) + (", …" if len(found) > 6 else "")
        raise ZooError(f"--baseline {given} fits {len(found)} cells ({named}); name one: encoder=…,cond=…")
    return found[0]


@dataclass(frozen=True)
class Scores:
    """Scores of one metric.

    Attributes:
        cells: (R,), the cell of each run that has a value.
        seeds: (R,), numbered from 0.
        y: (R,), the values.
        images: (R, N), values per image; None: the metric has none.
        higher_is_better: None where neither is.
        missing: why cells have no value at all.
    """

    cells: list[Cell]
    seeds: Ints
    y: Floats
    images: Floats | None
    higher_is_better: bool | None
    missing: Mapping[Cell, str]

    @classmethod
    def of(cls, table: pd.DataFrame, metric: str, per_image: pd.DataFrame) -> Scores:
        """From rows, and from values per image indexed by (run_id, image)."""
        rows = table[table["metric"] == metric]
        valued = rows.dropna(subset="value")
        named = [Cell(*values) for values in valued[CELL].itertuples(index=False, name=None)]
        there = set(named)
        missing = {
            cell: next((note for note in part["note"] if note), "no reason given")
            for cell, part in cells.by_cell(rows).items()
            if cell not in there
        }
        images = None
        if metric in per_image and len(per_image):
            wide = per_image[metric].unstack("image").reindex(valued["run_id"])
            images = wide.to_numpy(float) if bool(wide.notna().any(axis=None)) else None
        seeds = np.unique(valued["seed"], return_inverse=True)[1]
        return cls(named, seeds, valued["value"].to_numpy(float), images, rows["higher_is_better"].iloc[0], missing)

    def runs_of(self, cell: Cell) -> Ints:
        """(R,): the seed of each run of a cell, −1 elsewhere."""
        return np.where([other == cell for other in self.cells], self.seeds, -1)

    def diffusion(self) -> tuple[Ints, list[Cell], Ints]:
        """Which runs are of the method diffusion; their cells, in order; and the number of the cell of each (−1)."""
        order = [cell for cell in cells.in_order(self.cells) if cell.method == DIFFUSION]
        numbers = {cell: i for i, cell in enumerate(order)}
        codes = np.array([numbers.get(cell, -1) for cell in self.cells], dtype=int)
        return np.flatnonzero(codes >= 0), order, codes


class Comparison:
    """Contrasts of one metric's scores."""

    def __init__(self, scores: Scores) -> None:
        self.scores = scores
        self._runs, self.pairs, codes = scores.diffusion()
        self._codes = codes[self._runs]
        self._additive = Additive(self._codes, scores.seeds[self._runs], scores.y[self._runs]) if self.pairs else None

    def of_cells(self, weights: Mapping[Cell, float]) -> Contrast | None:
        """Of cells of the method diffusion, by the model that is fitted to all of them."""
        assert self._additive is not None
        found = self._additive.contrast(np.array([weights.get(cell, 0.0) for cell in self.pairs]))
        if found is None:
            return None
        spread = np.zeros(len(self.scores.y))
        spread[self._runs] = found.weights
        return Contrast(spread, found.se, found.df, found.seeds)

    def difference(self, cell: Cell, base: Cell) -> Contrast | None:
        """One cell less another."""
        if cell.method == base.method == DIFFUSION:
            return self.of_cells({cell: 1.0, base: -1.0})
        fixed = cell.method in UNSEEDED, base.method in UNSEEDED
        return paired(self.scores.runs_of(cell), self.scores.runs_of(base), self.scores.y, fixed=fixed)

    def interaction(self) -> str:
        """The F test in words."""
        _, encoder = np.unique([self.pairs[i].encoder for i in self._codes], return_inverse=True)
        _, cond = np.unique([self.pairs[i].cond for i in self._codes], return_inverse=True)
        seeds = self.scores.seeds[self._runs]
        f, between, within, p = interaction(encoder, cond, seeds, self.scores.y[self._runs])
        if np.isnan(p):
            return "interaction of encoder and cond: undecided, it takes several seeds that vary"
        verdict = "there is one" if p < LEVEL else "undecided"
        return f"interaction of encoder and cond: F({between:.0f}, {within:.0f}) = {number(f)}, p = {_p(p)}: {verdict}"


@dataclass(frozen=True)
class Line:
    """What is known of one difference.

    Attributes:
        result: None: it cannot be had, and ``doubt`` says why.
        adjusted: its p value, after Holm.
        verdict: "better", "worse", "different" or "undecided".
        doubt: why nothing can be decided, whatever p is; empty: it can.
    """

    name: str
    result: Estimate | None
    adjusted: float
    verdict: str
    doubt: str


def against(comparison: Comparison, base: Cell, others: Iterable[Cell]) -> list[Line]:
    """How each other cell differs from ``base``."""
    scores = comparison.scores
    named: list[tuple[str, Contrast | str]] = []
    for cell in others:
        if cell in scores.missing or base in scores.missing:
            reason = scores.missing.get(cell) or f"{base} has no value: {scores.missing[base]}"
            named.append((str(cell), reason))
        else:
            named.append((str(cell), comparison.difference(cell, base) or _APART))
    return _lines(scores, named)


def main_effects(comparison: Comparison, base: Cell, axis: str) -> list[Line]:
    """Main effects of ``axis`` ("encoder" or "cond") against the baseline's, averaged over the other."""
    own = getattr(base, axis)
    names = list(dict.fromkeys(getattr(cell, axis) for cell in comparison.pairs))
    levels: dict[str, list[Cell]] = {name: [] for name in names}
    for cell in comparison.pairs:
        levels[getattr(cell, axis)].append(cell)
    named: list[tuple[str, Contrast | str]] = []
    for name in names:
        if name != own:
            share = 1 / len(levels[own])
            weights = dict.fromkeys(levels[name], share) | dict.fromkeys(levels[own], -share)
            named.append((name, comparison.of_cells(weights) or _APART))
    return _lines(comparison.scores, named)


def complete(comparison: Comparison) -> bool:
    """Whether there are several encoders and conditioners, and all their pairs have values."""
    encoders, conds = ({getattr(cell, axis) for cell in comparison.pairs} for axis in ("encoder", "cond"))
    return min(len(encoders), len(conds)) > 1 and len(comparison.pairs) == len(encoders) * len(conds)


def _lines(scores: Scores, named: Sequence[tuple[str, Contrast | str]]) -> list[Line]:
    contrasts = [contrast for _, contrast in named if isinstance(contrast, Contrast)]
    found = estimate(contrasts, scores.y, scores.images)
    results = iter(zip(contrasts, found, holm([one.p for one in found])))
    lines = []
    for name, contrast in named:
        if isinstance(contrast, str):
            lines.append(Line(name, None, np.nan, "undecided", contrast))
            continue
        _, result, adjusted = next(results)
        doubt = _doubt(contrast, result)
        verdict = "undecided" if doubt else _verdict(result.value, adjusted, scores.higher_is_better)
        lines.append(Line(name, result, adjusted, verdict, doubt))
    return lines


def as_table(title: str, lines: Iterable[Line]) -> tuple[list[list[str]], list[str]]:
    """The lines under a head that begins with ``title``, and footnotes."""
    notes: list[str] = []
    body = [[title, *_HEAD]]
    for line in lines:
        mark = cells.marked(line.doubt, notes) if line.doubt else ""
        if line.result is None:
            body.append([line.name, mark, "", "", "", line.verdict, "", ""])
        else:
            verdict = f"{line.verdict} {mark.removeprefix('– ')}".strip()
            body.append([line.name, *_numbers(line.result, line.adjusted, verdict)])
    return body, notes


def _doubt(contrast: Contrast, result: Estimate) -> str:
    """Why nothing can be decided, whatever p is."""
    if np.isnan(contrast.se) or (contrast.seeds == 1 and np.isfinite(contrast.df)):
        return ONE_SEED
    return _STILL if np.isnan(result.p) else ""


def _verdict(value: float, adjusted: float, higher_is_better: bool | None) -> str:
    if not adjusted < LEVEL:
        return "undecided"
    if higher_is_better is None:
        return "different"
    return "better" if (value > 0) == higher_is_better else "worse"


def _numbers(result: Estimate, adjusted: float, mark: str) -> list[str]:
    interval = "–" if np.isnan(result.low) else f"{_signed(result.low)} … {_signed(result.high)}"
    images = str(result.images) if result.images else "–"
    return [_signed(result.value), interval, _p(result.p), _p(adjusted), mark, str(result.seeds), images]


def _signed(value: float) -> str:
    return ("-" if value < 0 else "+" if value > 0 else "") + number(abs(value))


def _p(p: float) -> str:
    return "–" if np.isnan(p) else "<0.001" if p < 0.001 else f"{p:.3f}"
