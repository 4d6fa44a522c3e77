"""How numbers are written for people, and small tables laid out as text."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Sequence
from typing import Literal

from tabulate import LATEX_ESCAPE_RULES, tabulate

Format = Literal["terminal", "markdown", "csv", "latex"]
SENSE = {True: "higher is better", False: "lower is better", None: "to compare with the truth"}
ARROW = {True: "↑", False: "↓", None: ""}
_LAYOUT = {"terminal": "simple", "markdown": "pipe", "latex": "latex_booktabs"}  # as tabulate calls them
_IN_MATHS = str.maketrans({"±": r"$\pm$", "×": r"$\times$", "–": "--", "…": r"\dots{}", "≤": r"$\le$"})


def render(rows: Sequence[Sequence[str]], format: Format = "terminal", *, left: Sequence[int] = (0,)) -> str:
    """Lay out ``rows``, of which the first is the header; columns that are not in ``left`` are aligned right."""
    if format == "csv":
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        return text.getvalue().rstrip("\n")
    sides = ["left" if i in left else "right" for i in range(len(rows[0]))]
    laid = tabulate(rows[1:], rows[0], _LAYOUT[format], colalign=sides, disable_numparse=True)
    return _maths(laid) if format == "latex" else "\n".join(line.rstrip() for line in laid.splitlines())


def latex(text: str) -> str:
    """``text`` as LaTeX sets it."""
    return _maths("".join(LATEX_ESCAPE_RULES.get(character, character) for character in text))


def number(value: float) -> str:
    """Four significant digits, without an exponent where it can be helped."""
    if value == 0 or 1e-4 <= abs(value) < 1e6:
        digits = 4 if value == 0 else max(0, 3 - int(f"{value:e}".partition("e")[2]))
        return f"{value:.{digits}f}"
    return f"{value:.3g}"


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


def _maths(text: str) -> str:
    """Signs that LaTeX has in maths alone, and minus signs."""
    return re.sub(r"(?<![\w-])-(?=\d)", "$-$", text.translate(_IN_MATHS))
