"""Cells as points, cells that differ in a number joined to curves, baselines hollow."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from zoo.benchmark.analysis.scores import Line
from zoo.benchmark.figures.marks import GREY, Styles, bounds, curves
from zoo.benchmark.tables.cells import Cell, in_line
from zoo.benchmark.tables.text_table import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

Ends = tuple[float, float]


class Place(NamedTuple):
    """Where a cell lies, and its standard deviations over seeds (0: none)."""

    x: float
    y: float
    sd_x: float = 0.0
    sd_y: float = 0.0

    def inside(self, ends: Sequence[Ends]) -> bool:
        return all(low <= value <= high for value, (low, high) in zip(self[:2], ends))

    def spread(self, i: int, *, log: bool) -> list[float]:
        """Its ends along x (0) or y (1), one standard deviation away."""
        return [end for end in (self[i] - self[i + 2], self[i] + self[i + 2]) if end > 0 or not log]


def panel(
    axes: Axes,
    lines: Sequence[Line],
    place: Callable[[Line], Place | None],
    styles: Styles,
    *,
    log: str = "",
    whole: bool = False,
) -> list[str]:
    """Draw the lines that have a `Place`.

    Args:
        log: the axes that are logarithmic: "", "x" or "xy"; there, whatever is not above 0 is left out.
        whole: baselines may squeeze the pairs together.

    Returns:
        The baselines that would squeeze the pairs together, and are left out.
    """
    found = {line.cell: at for line in lines if (at := place(line)) and all(at[i] > 0 for i in range(len(log)))}
    pairs, others = ([x for x in lines if x.cell in found and x.is_baseline == kind] for kind in (False, True))
    core, rest = ([*pairs, *others], []) if whole else (pairs or others, others)
    ends = frame([found[x.cell] for x in core], [found[x.cell] for x in rest], log)
    for curve in curves(pairs):
        _join(axes, curve, [found[line.cell] for line in curve], styles)
    for line in pairs:
        at, ink = found[line.cell], styles.color(line.cell.row)
        axes.errorbar(*at[:2], xerr=at.sd_x or None, yerr=at.sd_y or None, color=ink, lw=0.8, fmt="none", alpha=0.6)
        axes.plot(*at[:2], marker=styles.shape(line.cell.col), ms=5.5, color=ink, linestyle="")
    for line in others:
        if found[line.cell].inside(ends):
            _baseline(axes, line.cell, found[line.cell], ends[0], log=bool(log))
    for scaled, span in zip(log, ends):
        axes.set(**{f"{scaled}scale": "log"})
        _plain_ticks(axes.xaxis if scaled == "x" else axes.yaxis, span)
    axes.set(xlim=ends[0], ylim=ends[1])
    axes.grid(lw=0.4)
    axes.set_axisbelow(True)
    outside = {line.cell: at for line in others if not (at := found[line.cell]).inside(ends)}
    return [f"{cell} at {number(at.x)}, {number(at.y)}" for cell, at in outside.items()]


def frame(core: Sequence[Place], others: Sequence[Place], log: str) -> tuple[Ends, Ends]:
    """Ends of both axes: they hold all of ``core``, and of the ``others`` those that squeeze it along neither."""

    def around(others: Sequence[Place]) -> tuple[Ends, Ends]:
        x, y = (
            bounds(
                [end for at in core for end in at.spread(i, log=i < len(log))],
                [at[i] for at in others],
                log=i < len(log),
            )
            for i in (0, 1)
        )
        return x, y

    ends = around(others)
    return around([at for at in others if at.inside(ends)])


def place_of(line: Line, x: str, y: str) -> Place | None:
    """Of two scores; None where one is missing."""
    first, second = line.scores.get(x), line.scores.get(y)
    if first is None or second is None or first.mean is None or second.mean is None:
        return None
    return Place(first.mean, second.mean, first.sd or 0.0, second.sd or 0.0)


def number_of(name: str) -> str:
    """``train.steps=400`` is 400."""
    return name.rpartition("=")[2] if in_line(name)[1] < float("inf") else name


def _plain_ticks(axis: Axis, ends: Ends) -> None:
    """Of a logarithmic axis: 1, 2, 5, 10, or powers of ten where it is long, even steps where it is short; never
    2 × 10¹."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    ratio = ends[1] / ends[0]
    subs = (1.0,) if ratio > 100 else (1.0, 2.0, 3.0, 5.0)
    axis.set_major_locator(MaxNLocator(4) if ratio < 3 else LogLocator(subs=subs))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def _baseline(axes: Axes, cell: Cell, at: Place, ends: Ends, *, log: bool) -> None:
    axes.plot(*at[:2], marker="o", ms=5.5, color=GREY, mfc="white", linestyle="")
    middle = math.sqrt(ends[0] * ends[1]) if log else sum(ends) / 2
    given: dict[str, Any] = {"textcoords": "offset points", "size": 7.5, "color": GREY}
    right = at.x > middle
    axes.annotate(str(cell), at[:2], (-5 if right else 5, 4), ha="right" if right else "left", **given)


def _join(axes: Axes, curve: Sequence[Line], places: Sequence[Place], styles: Styles) -> None:
    """A line through them, with the numbers in which they differ at its ends."""
    one_row = len({line.cell.row for line in curve}) == 1
    ink = styles.color(curve[0].cell.row) if one_row else GREY
    axes.plot([at.x for at in places], [at.y for at in places], color=ink, lw=1)
    for line, at in [(curve[0], places[0]), (curve[-1], places[-1])][: len(curve)]:
        told = number_of(line.cell.col if one_row else line.cell.row)
        axes.annotate(told, at[:2], (5, -9), textcoords="offset points", size=7)
