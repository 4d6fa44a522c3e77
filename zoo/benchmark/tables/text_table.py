"""Small tables as text."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from typing import Literal

Format = Literal["terminal", "markdown", "csv", "latex"]
_LATEX = str.maketrans(
    {character: f"\\{character}" for character in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": "$<$", ">": "$>$"}
    | {"±": r"$\pm$", "×": r"$\times$", "–": "--", "…": r"\dots{}", "≤": r"$\le$"}
)


def render(rows: Sequence[Sequence[str]], format: Format = "terminal", *, left: Sequence[int] = (0,)) -> str:
    """Lay out ``rows``, of which the first is the header; columns that are not in ``left`` are aligned right."""
    if format == "csv":
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([cell.strip() for cell in row] for row in rows)
        return text.getvalue().rstrip("\n")
    if format == "latex":
        return _latex(rows, left)
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        [cell.ljust(w) if i in left else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths))] for row in rows
    ]
    if format == "markdown":
        rule = ["-" * w if i in left else "-" * (w - 1) + ":" for i, w in enumerate(widths)]
        return "\n".join(f"| {' | '.join(line)} |" for line in [lines[0], rule, *lines[1:]])
    rule = ["─" * w for w in widths]
    return "\n".join("  ".join(line).rstrip() for line in [lines[0], rule, *lines[1:]])


def latex(text: str) -> str:
    """``text`` as LaTeX sets it."""
    return re.sub(r"(?<![\w-])-(?=\d)", "$-$", text.translate(_LATEX))


def _latex(rows: Sequence[Sequence[str]], left: Sequence[int]) -> str:
    """A tabular with the rules of the package booktabs."""
    columns = "".join("l" if i in left else "r" for i in range(len(rows[0])))
    head, *body = [" & ".join(latex(cell.strip()) for cell in row).rstrip() + r" \\" for row in rows]
    lines = [
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        head,
        r"\midrule",
        *body,
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines)


def number(value: float) -> str:
    """Four significant digits, without an exponent where it can be helped."""
    if value == 0 or 1e-4 <= abs(value) < 1e6:
        digits = 4 if value == 0 else max(0, 3 - _magnitude(value))
        return f"{value:.{digits}f}"
    return f"{value:.3g}"


def _magnitude(value: float) -> int:
    return int(f"{value:e}".partition("e")[2])
