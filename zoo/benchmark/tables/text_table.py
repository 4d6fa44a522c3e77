"""How numbers are written for people, and small tables laid out as text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from tabulate import tabulate

Format = Literal["terminal", "markdown"]
SENSE = {True: "higher is better", False: "lower is better", None: "to compare with the truth"}
ARROW = {True: "↑", False: "↓", None: ""}
_LAYOUT = {"terminal": "simple", "markdown": "pipe"}  # as tabulate calls them
_MARKED = {"terminal": "* {}", "markdown": "**{}**"}
_DIGITS = 6  # that a mean is given at most


class Best(str):
    """A cell that is marked."""


def render(rows: Sequence[Sequence[str]], format: Format = "terminal", *, left: Sequence[int] = (0,)) -> str:
    """Lay out ``rows``, of which the first is the header; columns that are not in ``left`` are aligned right."""
    sides = ["left" if i in left else "right" for i in range(len(rows[0]))]
    body = [[_MARKED[format].format(cell) if isinstance(cell, Best) else cell for cell in row] for row in rows[1:]]
    laid = tabulate(body, rows[0], _LAYOUT[format], colalign=sides, disable_numparse=True)
    return "\n".join(line.rstrip() for line in laid.splitlines())


def number(value: float) -> str:
    """Four significant digits, without an exponent where it can be helped."""
    if value == 0 or 1e-4 <= abs(value) < 1e6:
        digits = 4 if value == 0 else max(0, 3 - int(f"{value:e}".partition("e")[2]))
        return f"{value:.{digits}f}"
    return f"{value:.3g}"


def beside(mean: float, sd: float) -> tuple[str, str]:
    """A mean and its standard deviation, both down to the second significant digit of the latter: 12.3457, 0.0341 are
    12.346 and 0.034. Of a mean there are six digits at most."""
    if sd == 0 or not (1e-4 <= max(abs(mean), sd) < 1e6):
        return number(mean), number(sd) if sd else "0"
    places, most = 1 - _exponent(sd, 1), _DIGITS - 1 - _exponent(max(abs(mean), sd), _DIGITS - 1)
    if places > most:
        return f"{mean:.{most}f}", f"{sd:.2g}"
    return _to(mean, places), _to(sd, places)


def signed(value: float) -> str:
    """`number` with its sign."""
    return ("-" if value < 0 else "+" if value > 0 else "") + number(abs(value))


def amount(value: float) -> str:
    """A cost: 2,191,108 or 96.01 or 0.04598; – where it is not known."""
    if math.isnan(value):
        return "–"
    return f"{value:,.0f}" if value >= 1000 or value == int(value) else number(value)


def probability(p: float) -> str:
    """A p value to three places; – where it is not known."""
    return "–" if math.isnan(p) else "<0.001" if p < 0.001 else f"{p:.3f}"


def few(names: Sequence[str]) -> str:
    """The first of ``names`` in order, and how many there are besides."""
    ordered = sorted(names)
    return ", ".join(ordered[:4]) + (f" and {len(ordered) - 4} more" if len(ordered) > 4 else "")


def which(runs: Sequence[str]) -> str:
    """Runs by their ids."""
    return f"run {runs[0]}" if len(runs) == 1 else f"{len(runs)} runs ({few(runs)})"


def _to(value: float, places: int) -> str:
    """-1: to tens."""
    return f"{round(value, places) + 0.0:.{max(places, 0)}f}"  # and not -0


def _exponent(value: float, digits: int) -> int:
    """Of ten, once ``value`` is rounded to one digit before the point and ``digits`` after it."""
    return int(f"{value:.{digits}e}".partition("e")[2])
