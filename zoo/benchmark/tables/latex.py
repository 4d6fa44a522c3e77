"""Tables as LaTeX sets them, with the packages booktabs and graphicx."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tabulate import LATEX_ESCAPE_RULES

from zoo.benchmark.tables.text_table import Best

_NO_WIDER = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{"  # than a line of the paper
_TOGETHER = 15  # tables that LaTeX takes without text between them, with a few of the paper's own to spare
_IN_MATHS: dict[str, str | int | None] = {
    "±": r"$\pm$",
    "×": r"$\times$",
    "–": "--",
    "…": r"\dots{}",
    "≤": r"$\le$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
}


def document(parts: Sequence[str]) -> str:
    """``parts`` below each other, for a paper to ``\\input``."""
    many = ["% so many tables with no text between them:\n\\maxdeadcycles=10000 \\extrafloats{1000}"]
    tables = sum(part.startswith("\\begin{table}") for part in parts)
    head = [r"% needs \usepackage{booktabs,graphicx}", *(many if tables > _TOGETHER else [])]
    return "\n\n".join([*head, *parts])


def table(
    caption: str, label: str, bodies: Sequence[Sequence[Sequence[str]]], notes: Sequence[str], left: Sequence[int]
) -> str:
    """One float of a caption, ``bodies`` below each other and ``notes``; columns in ``left`` are text."""
    small = [f"\n\\par\\footnotesize {escaped(note)}" for note in notes]
    head = ["\\begin{table}", "\\centering", f"\\caption{{{escaped(caption)}}}", f"\\label{{tab:{_plain(label)}}}"]
    middle = "\n\n\\medskip\n".join(_tabular(body, left) for body in bodies)
    return "\n".join([*head, "\\medskip", middle, *small, "\\end{table}"])


def comment(line: str) -> str:
    """A line that is not set."""
    return f"% {' '.join(line.split())}"


def escaped(text: str) -> str:
    """``text`` as it is; signs that LaTeX has in maths alone, and minus signs."""
    plain = "".join(LATEX_ESCAPE_RULES.get(character, character) for character in text)
    return re.sub(r"(?<![\w-])-(?=\d)", "$-$", plain.translate(str.maketrans(_IN_MATHS)))


def _tabular(rows: Sequence[Sequence[str]], left: Sequence[int]) -> str:
    head, *body = map(_line, rows)
    sides = "".join("l" if i in left else "r" for i in range(len(rows[0])))
    begin, end = f"{_NO_WIDER}\\begin{{tabular}}{{{sides}}}", r"\end{tabular}}"
    return "\n".join([begin, r"\toprule", head, r"\midrule", *body, r"\bottomrule", end])


def _line(row: Sequence[str]) -> str:
    text = " & ".join(map(_cell, row))
    return ("{}" if text.startswith(("[", "*")) else "") + text + r" \\"  # else it were an option of the line before


def _cell(text: str) -> str:
    return rf"{{\bfseries\boldmath {escaped(text)}}}" if isinstance(text, Best) else escaped(text)


def _plain(label: str) -> str:
    """Letters, digits and hyphens: what a label may have, whatever packages are loaded."""
    return re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")
