"""Differences to a baseline, as `zoo.benchmark.analysis.comparisons` finds them, ready to be drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from zoo.benchmark.analysis import comparisons
from zoo.benchmark.analysis.comparisons import Comparison, Line, Scores
from zoo.benchmark.report.scores import Metric
from zoo.benchmark.tables import cells
from zoo.benchmark.tables.cells import DIFFUSION, Cell

_PAIR, _BASELINE, _EFFECT = "pair", "baseline", "effect"


@dataclass(frozen=True)
class Difference:
    """One line. The texts are those of compare.py, so that page and terminal say the same.

    Attributes:
        kind: "pair", "baseline" or "effect".
        value, low, high: the difference and its 95 % interval; None: not known.
        texts: name, difference, interval, p, p adjusted, verdict, seeds, images.
        decided: "better", "worse", "different", or "" for undecided.
    """

    kind: str
    value: float | None
    low: float | None
    high: float | None
    texts: list[str]
    decided: str


@dataclass(frozen=True)
class Part:
    """Lines that share a scale and an adjustment of p, their title, and footnotes."""

    title: str
    lines: list[Difference]
    notes: list[str]


@dataclass(frozen=True)
class Found:
    """All of one metric; ``remark``: on the interaction, or why there is nothing."""

    parts: list[Part]
    remark: str


def gather(table: pd.DataFrame, known: Sequence[Metric], base: Cell, per_image: pd.DataFrame) -> dict[str, Found]:
    """For each metric, differences of all cells to ``base`` and, where no pair is missing, main effects."""
    return {metric.name: _of(Comparison(Scores.of(table, metric.name, per_image)), base) for metric in known}


def _of(comparison: Comparison, base: Cell) -> Found:
    scores = comparison.scores
    if base in scores.missing or base not in scores.cells:
        return Found([], f"{base} has no value: {scores.missing.get(base, 'it was not scored with this metric')}")
    others = [cell for cell in cells.in_order([*scores.cells, *scores.missing]) if cell != base]
    kinds = [_PAIR if cell.method == DIFFUSION else _BASELINE for cell in others]
    parts = [_part(f"Less {base}", comparisons.against(comparison, base, others), kinds)]
    if base.method != DIFFUSION or not comparisons.complete(comparison):
        return Found(parts, "")
    for axis in ("encoder", "cond"):
        lines = comparisons.main_effects(comparison, base, axis)
        parts.append(_part(f"Main effect of {axis}, less {getattr(base, axis)}", lines, [_EFFECT] * len(lines)))
    remark = comparison.interaction()
    return Found(parts, remark[:1].upper() + remark[1:])


def _part(title: str, lines: Sequence[Line], kinds: Sequence[str]) -> Part:
    body, notes = comparisons.as_table("", lines)
    made = []
    for kind, line, texts in zip(kinds, lines, body[1:]):
        result = line.result
        value, low, high = (None,) * 3 if result is None else map(_finite, (result.value, result.low, result.high))
        decided = "" if line.verdict == "undecided" else line.verdict
        made.append(Difference(kind, value, low, high, texts, decided))
    return Part(title, made, [f"[{i}] {note}" for i, note in enumerate(notes, 1)])


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
