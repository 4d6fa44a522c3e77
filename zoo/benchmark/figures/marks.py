"""Colours and shapes of cells, bounds of axes, and what every figure says of its metrics."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zoo.benchmark.analysis.scores import Line, Metric, first_choice
from zoo.benchmark.analysis.study import Study
from zoo.benchmark.tables.cells import in_line
from zoo.errors import ZooError

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

COLORS = ("#0072b2", "#d55e00", "#00805c", "#a6508a", "#8a7000", "#2f8fc4", "#444b54", "#b3261e")  # as the report's
SHAPES = ("o", "s", "^", "D", "v", "P", "X", "*")
GREY = "#777f88"
BETTER, WORSE, DIFFERENT = "#0067b1", "#b94700", "#7a4d9f"
_MOST = 3.0  # baselines may stretch an axis to so many times what the pairs take


@dataclass(frozen=True)
class Styles:
    """A colour for each place on the first axis, a shape for each on the second."""

    rows: list[str]
    cols: list[str]

    @classmethod
    def of(cls, lines: Iterable[Line]) -> Styles:
        pairs = [line.cell for line in lines if not line.is_baseline]
        rows, cols = ({getattr(cell, axis) for cell in pairs} for axis in ("row", "col"))
        return cls(sorted(rows, key=in_line), sorted(cols, key=in_line))

    def color(self, row: str) -> str:
        return COLORS[self.rows.index(row) % len(COLORS)]

    def shape(self, col: str) -> str:
        return SHAPES[self.cols.index(col) % len(SHAPES)]

    def key(self) -> list[Line2D]:
        """What a legend shows."""
        from matplotlib.lines import Line2D

        plain: dict[str, Any] = {"linestyle": "", "markersize": 6}
        rows = [Line2D([], [], marker="o", color=self.color(row), label=row, **plain) for row in self.rows]
        cols = [Line2D([], [], marker=self.shape(col), color=GREY, label=col, **plain) for col in self.cols]
        return rows + (cols if len(cols) > 1 else [])


def curves(lines: Sequence[Line]) -> list[list[Line]]:
    """Pairs that differ in a number alone, in its order: along the second axis if its places are numbers, else along
    the first; none where neither's are."""
    pairs = [line for line in lines if not line.is_baseline]
    for along, fixed in (("col", "row"), ("row", "col")):
        if len({getattr(line.cell, along) for line in pairs}) > 1 and all(
            in_line(getattr(line.cell, along))[1] < float("inf") for line in pairs
        ):
            found: dict[str, list[Line]] = {}
            for line in sorted(pairs, key=lambda line: in_line(getattr(line.cell, along))):
                found.setdefault(getattr(line.cell, fixed), []).append(line)
            return list(found.values())
    return []


def chosen(study: Study, wanted: Sequence[str]) -> list[Metric]:
    """Those that were asked for, else the one to look at first. Raises `ZooError` where there is no score."""
    scored = {name for line in study.lines for name, score in line.scores.items() if score.n}
    names = [name for name in dict.fromkeys(wanted) if name in scored] or [
        name for name in [study.primary or first_choice(study.metrics, [], sorted(scored))] if name
    ]
    found = [metric for name in names for metric in study.metrics if metric.name == name]
    if not found:
        raise ZooError("no cell has a score of such a metric: there is nothing to draw")
    return found


def named(metric: Metric) -> str:
    """``psnr (higher is better)``, short."""
    return f"{metric.name} {metric.arrow}".strip()


def bounds(pairs: Sequence[float], others: Sequence[float], *, log: bool = False) -> tuple[float, float]:
    """Ends of an axis that holds all ``pairs``, and of ``others`` those that do not squeeze these together."""
    if log:
        low, high = bounds([math.log10(value) for value in pairs], [math.log10(value) for value in others])
        return 10.0**low, 10.0**high
    core = list(pairs or others)
    low, high = min(core), max(core)
    span = (high - low) or abs(high) * 0.1 or 1.0
    for value in sorted(others, key=lambda value: max(low - value, value - high)):
        if max(high, value) - min(low, value) <= _MOST * span:
            low, high = min(low, value), max(high, value)
    air = 0.08 * ((high - low) or span)
    return low - air, high + air


def remark(figure: Figure, texts: Sequence[str]) -> None:
    """Small print below the pictures."""
    width = int(figure.get_figwidth() * 17)
    lines = [line for text in texts for line in textwrap.wrap(text, width)]
    if lines:
        figure.supxlabel("\n".join(lines), x=0.01, ha="left", size=7.5)
