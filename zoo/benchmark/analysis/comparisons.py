"""Differences of cells to a baseline, and main effects, with intervals; `intervals` says how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from zoo.benchmark.analysis import samplings
from zoo.benchmark.analysis.contrasts import Additive, Contrast, Floats, Ints, paired
from zoo.benchmark.analysis.holm import holm
from zoo.benchmark.analysis.interaction import interaction
from zoo.benchmark.analysis.intervals import Estimate, estimate
from zoo.benchmark.analysis.samplings import Samplings
from zoo.benchmark.tables import cells
from zoo.benchmark.tables.cells import CELL, DIFFUSION, Cell, seeded
from zoo.benchmark.tables.text_table import number, probability

LEVEL = 0.05
ONE_SEED = "one seed: other seeds may differ"
_APART = "no seed in common"
_STILL = "seeds do not vary at all: nothing follows"


@dataclass(frozen=True)
class Scores:
    """Scores of one metric.

    Attributes:
        cells: (R,), the cell of each run that has a value.
        seeds: (R,), numbered from 0.
        y: (R,), the values.
        images: (R, N), values per image; None: the metric has none.
        people: (N,), who is on each, numbered; None: not known, somebody else on each.
        samplings: (R, K), values of several samplings of all images; None: there was one, or the metric is of images.
        higher_is_better: None where neither is.
        missing: why cells have no value at all.
    """

    cells: list[Cell]
    seeds: Ints
    y: Floats
    images: Floats | None
    people: Ints | None
    samplings: Floats | None
    higher_is_better: bool | None
    missing: Mapping[Cell, str]

    @classmethod
    def of(
        cls,
        table: pd.DataFrame,
        metric: str,
        per_image: pd.DataFrame,
        people: Mapping[str, str] | None = None,
        samplings: Mapping[str, Sequence[float]] | None = None,
    ) -> Scores:
        """From rows, and from values per image indexed by (run_id, image); ``people``: who is on an image;
        ``samplings``: values of the metric by run."""
        rows = table[table["metric"] == metric]
        valued = rows.dropna(subset="value")
        named = [Cell(*values) for values in valued[CELL].itertuples(index=False, name=None)]
        there = set(named)
        missing = {
            cell: next((note for note in part["note"] if note), "no reason given")
            for cell, part in cells.by_cell(rows).items()
            if cell not in there
        }
        images = who = None
        if metric in per_image and len(per_image):
            wide = per_image[metric].unstack("image").reindex(valued["run_id"])
            images = wide.to_numpy(float) if bool(wide.notna().any(axis=None)) else None
            labels = [f"0{people[image]}" if people and image in people else f"1{image}" for image in wide.columns]
            who = np.unique(labels, return_inverse=True)[1] if people else None
        seeds = np.unique(valued["seed"], return_inverse=True)[1]
        y, better = valued["value"].to_numpy(float), rows["higher_is_better"].iloc[0]
        several = None if images is not None else _several([(samplings or {}).get(run, ()) for run in valued["run_id"]])
        return cls(named, seeds, y, images, who, several, better, missing)

    def runs_of(self, cell: Cell) -> Ints:
        """(R,): the seed of each run of a cell, −1 elsewhere."""
        return np.where([other == cell for other in self.cells], self.seeds, -1)

    def noise(self) -> Samplings | None:
        """What is known of the noise of sampling."""
        if self.samplings is None:
            return None
        order = cells.in_order(self.cells)
        numbers = {cell: i for i, cell in enumerate(order)}
        fitted = [cell.method == DIFFUSION for cell in order]
        return Samplings(self.samplings, np.array([numbers[cell] for cell in self.cells], dtype=int), fitted)

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
        fixed = not seeded(cell.method), not seeded(base.method)
        return paired(self.scores.runs_of(cell), self.scores.runs_of(base), self.scores.y, fixed=fixed)

    @property
    def complete(self) -> bool:
        """Whether there are several places on both axes, and all their pairs have values."""
        rows, cols = ({getattr(cell, axis) for cell in self.pairs} for axis in ("row", "col"))
        return min(len(rows), len(cols)) > 1 and len(self.pairs) == len(rows) * len(cols)

    def interaction(self, axes: tuple[str, str]) -> str:
        """The F test in words."""
        _, row = np.unique([self.pairs[i].row for i in self._codes], return_inverse=True)
        _, col = np.unique([self.pairs[i].col for i in self._codes], return_inverse=True)
        seeds = self.scores.seeds[self._runs]
        images = None if self.scores.images is None else self.scores.images[self._runs]
        noise = None
        if self.scores.samplings is not None:
            cell = row * (int(col.max()) + 1) + col
            noise = Samplings(self.scores.samplings[self._runs], cell, [True] * (int(cell.max()) + 1))
        of_runs = row, col, seeds, self.scores.y[self._runs]
        f, between, within, p = interaction(*of_runs, images, self.scores.people, noise)
        what = f"interaction of {' and '.join(axes)}"
        if np.isnan(p):
            return f"{what}: undecided, it takes several seeds that vary"
        verdict = "there is one" if p < LEVEL else "undecided"
        return f"{what}: F({between:.1f}, {within:.1f}) = {number(f)}, p = {probability(p)}: {verdict}"


@dataclass(frozen=True)
class Line:
    """What is known of one difference.

    Attributes:
        kind: "pair", "baseline" or "effect".
        result: None: it cannot be had, and ``doubt`` says why.
        doubt: why nothing can be decided, whatever p is; empty: it can.
        adjusted: its p value, after Holm.
        verdict: "better", "worse", "different" or "undecided".
    """

    kind: str
    name: str
    result: Estimate | None
    doubt: str = ""
    adjusted: float = float("nan")
    verdict: str = "undecided"


@dataclass(frozen=True)
class Part:
    """Lines of one table and their title; ``first``: the head of their names."""

    title: str
    first: str
    lines: list[Line]


@dataclass(frozen=True)
class Differences:
    """All of one metric; ``remark``: on the interaction, or why there is nothing."""

    parts: list[Part]
    remark: str = ""


def differences(comparison: Comparison, base: Cell, axes: tuple[str, str]) -> Differences:
    """How each other cell differs from ``base`` and, where no pair is missing, main effects of the two ``axes``; not
    yet adjusted for their number: see `adjust`."""
    scores = comparison.scores
    if base in scores.missing or base not in scores.cells:
        return Differences([], f"{base} has no value: {scores.missing.get(base, 'it was not scored with this metric')}")
    parts = [Part(f"less {base}", f"less {base}", _against(comparison, base))]
    if base.method != DIFFUSION or not comparison.complete:
        return Differences(parts)
    for axis, of_cell in zip(axes, ("row", "col")):
        own = getattr(base, of_cell)
        parts.append(
            Part(f"main effect of {axis}, less {own}", f"{axis} less {own}", _effects(comparison, base, of_cell))
        )
    return Differences(parts, comparison.interaction(axes))


def adjust(found: Mapping[str, Differences], better: Mapping[str, bool | None], primary: str) -> dict[str, Differences]:
    """The same with p adjusted (Holm 1979) and verdicts: over the lines of each table of the ``primary`` metric, which
    was named before anything ran, and over all lines of such tables of all other metrics together. Where none was
    named, over the lines of each table."""
    groups = [[name] for name in found if name == primary or not primary]
    groups += [[name for name in found if name != primary]] if primary else []
    made = {name: Differences([], one.remark) for name, one in found.items()}
    for group in groups:
        for i in range(max((len(found[name].parts) for name in group), default=0)):
            there = [name for name in group if i < len(found[name].parts)]
            lines = [line for name in there for line in found[name].parts[i].lines]
            adjusted = iter(holm([line.result.p if line.result else np.nan for line in lines]))
            for name in there:
                part = found[name].parts[i]
                decided = [_decided(line, next(adjusted), better[name]) for line in part.lines]
                made[name].parts.append(replace(part, lines=decided))
    return made


def _against(comparison: Comparison, base: Cell) -> list[Line]:
    scores = comparison.scores
    named: list[tuple[str, str, Contrast | str]] = []
    for cell in cells.in_order([*scores.cells, *scores.missing]):
        if cell != base:
            found = scores.missing.get(cell) or comparison.difference(cell, base) or _APART
            named.append(("pair" if cell.method == DIFFUSION else "baseline", str(cell), found))
    return estimated(scores, named)


def _effects(comparison: Comparison, base: Cell, axis: str) -> list[Line]:
    """Against the baseline's place on one axis, averaged over the other."""
    own = getattr(base, axis)
    levels: dict[str, list[Cell]] = {}
    for cell in comparison.pairs:
        levels.setdefault(getattr(cell, axis), []).append(cell)
    named: list[tuple[str, str, Contrast | str]] = []
    for name in levels:
        if name != own:
            share = 1 / len(levels[own])
            weights = dict.fromkeys(levels[name], share) | dict.fromkeys(levels[own], -share)
            named.append(("effect", name, comparison.of_cells(weights) or _APART))
    return estimated(comparison.scores, named)


def estimated(scores: Scores, named: Sequence[tuple[str, str, Contrast | str]]) -> list[Line]:
    """A line for each kind, name and contrast, or why there is none; p is not yet adjusted."""
    contrasts = [contrast for _, _, contrast in named if isinstance(contrast, Contrast)]
    noise = scores.noise()
    results = iter(
        estimate(contrasts, scores.y, scores.images, scores.people)
        if noise is None
        else samplings.estimate(contrasts, scores.y, noise)
    )
    lines = []
    for kind, name, contrast in named:
        if isinstance(contrast, str):
            lines.append(Line(kind, name, None, contrast))
        else:
            result = next(results)
            lines.append(Line(kind, name, result, _doubt(contrast, result)))
    return lines


def _several(values: Sequence[Sequence[float]]) -> Floats | None:
    """(R, K), where all runs were sampled several times, and as often."""
    times = {len(some) for some in values}
    return np.array(values, dtype=float) if len(times) == 1 and min(times) > 1 else None


def _decided(line: Line, adjusted: float, higher_is_better: bool | None) -> Line:
    verdict = "undecided"
    if line.result is not None and not line.doubt and adjusted < LEVEL:
        verdict = "better" if (line.result.value > 0) == higher_is_better else "worse"
        verdict = "different" if higher_is_better is None else verdict
    return replace(line, adjusted=adjusted, verdict=verdict)


def _doubt(contrast: Contrast, result: Estimate) -> str:
    """Why nothing can be decided, whatever p is."""
    if np.isnan(contrast.se) or (contrast.seeds == 1 and np.isfinite(contrast.df)):
        return ONE_SEED
    return _STILL if np.isnan(result.p) else ""
