"""Makes findings.md, and the table of the README, of findings.md.j2 and the rows beside it: python results/findings.py

No number of a finding is written by hand, and no verdict: what the text calls better must be decided, what it calls
undecided must not be, else nothing is written and the claim is named.
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
from functools import cache
from math import inf
from pathlib import Path
from statistics import fmean
from typing import Any

import jinja2

sys.path.insert(0, str(Path(__file__).parents[1]))

from zoo.benchmark.analysis.study import Study, open_study
from zoo.benchmark.analysis.tidy import tidy
from zoo.commands.compare import add_study
from zoo.errors import ZooError

HERE = Path(__file__).resolve().parent
PAGE, README = HERE / "findings.md", HERE.parent / "README.md"
MARKS = "<!-- findings -->\n", "<!-- end of findings -->\n"
PLACES = {"st_lpips": 4, "fd_st_lpips": 4, "psnr": 2, "ciede2000": 2}  # decimals; of others: 2
Row = dict[str, str]


@cache
def rows(block: str, base: str = "") -> list[Row]:
    """What `facezoo compare --study results/study.yaml --only BLOCK --baseline BASE --format csv` says.

    Args:
        block: of the study; with a file before it, ``portraits:pairs``, of that one.
        base: as after ``--baseline``; empty: that of the study.
    """
    study = _of_study(block)
    found = list(csv.DictReader(io.StringIO(tidy(study.against(base) if base else study))))
    return [{**row, "row": row[study.axes.rows], "col": row[study.axes.cols]} for row in found]


@cache
def _of_study(block: str) -> Study:
    file, _, name = block.rpartition(":")
    parser = argparse.ArgumentParser()
    add_study(parser)
    given = ["--study", str(HERE / f"{file or 'study'}.yaml"), "--runs", str(HERE / "runs")]
    return open_study(parser.parse_args([*given, "--only", name] if name else given))


def _row(block: str, cell: str, metric: str, base: str = "", kind: str = "score") -> Row:
    """``cell``: ROW × COLUMN, or the name of a method."""
    name, _, col = cell.partition(" × ")
    here = rows(block, base)
    for row in here:
        methods = row["method"] == "diffusion" and (row["row"], row["col"]) == (name, col)
        if row["kind"] == kind and row["metric"] == metric and (methods or (not col and row["method"] == name)):
            return row
    known = sorted({f"{row['method']}: {row['row']} × {row['col']}" for row in here})
    raise ZooError(f"{block}: no {metric} of {cell}; there are {', '.join(known)}")


def _places(metric: str) -> int:
    return PLACES.get(metric.partition("@")[0], 2)


def told(value: float, places: int, *, sign: bool = False) -> str:
    """−.0048: without a nought before the point."""
    text = f"{abs(value):.{places}f}"
    text = text[1:] if text.startswith("0.") else text
    before = "−" if value < 0 else "+" if sign else ""
    return before + text


def score(block: str, cell: str, metric: str) -> str:
    """The mean over seeds."""
    return told(float(_row(block, cell, metric)["mean"]), _places(metric))


def seeds(block: str, cell: str) -> str:
    """How many runs it is the mean of: 3 seeds."""
    count = _row(block, cell, "st_lpips")["n"]
    return f"{count} seed{'s' * (count != '1')}"


def difference(block: str, cell: str, metric: str, base: str = "") -> str:
    """The paired difference with its interval."""
    row, places = _row(block, cell, metric, base), _places(metric)
    value, low, high = (told(float(row[name]), places, sign=True) for name in ("difference", "low", "high"))
    return f"{value} [{low}, {high}]"


def verdict(block: str, cell: str, metric: str, base: str = "") -> str:
    """The difference where it is decided, and "undecided" with it where it is not."""
    decided = _row(block, cell, metric, base)["verdict"] != "undecided"
    return difference(block, cell, metric, base) + ("" if decided else ", undecided")


def _claimed(claim: str) -> Any:
    def check(block: str, cell: str, metric: str, base: str = "") -> str:
        found = _row(block, cell, metric, base)["verdict"]
        if found != claim:
            raise ZooError(
                f"{block}: {cell} less {base or 'the baseline'} in {metric} is called {claim} and is {found}"
            )
        return difference(block, cell, metric, base)

    return check


def ratio(block: str, cell: str, other: str, third: str, metric: str) -> str:
    """The way from ``cell`` to ``third``, in per cent of that from ``cell`` to ``other``."""
    a, b, c = (float(_row(block, name, metric)["mean"]) for name in (cell, other, third))
    return f"{100 * (c - a) / (b - a):.0f} %"


def percent(block: str, cell: str, base: str, metric: str) -> str:
    """By how much ``cell`` is less than ``base``, in per cent of it."""
    a, b = (float(_row(block, name, metric)["mean"]) for name in (cell, base))
    return f"{100 * (1 - a / b):.0f} %"


def baseline(method: str, name: str, table: str = "study", *, least: float = 0, most: float = inf) -> str:
    """What a method without cells has: the mean of its runs.

    Args:
        name: of a metric, or of a column as ``images_seen``.
        table: study, or origin.
        least, most: of the runs that saw no fewer and no more images in training.
    """
    with open(HERE / f"{table}.csv", encoding="utf-8", newline="") as file:
        runs = [row for row in csv.DictReader(file) if row["method"] == method]
    runs = [row for row in runs if least <= float(row["images_seen"] or 0) <= most]
    if name in runs[0]:
        return f"{fmean(float(row[name]) for row in runs):,.0f}"
    return told(fmean(float(row["value"]) for row in runs if row["metric"] == name), _places(name))


def images(block: str, cell: str) -> str:
    """How many a run saw in training."""
    return f"{float(_row(block, cell, 'images_seen', kind='cost')['mean']):,.0f}"


def rendered() -> str:
    """The page. Raises `ZooError` for a claim that the rows do not bear."""
    loader = jinja2.FileSystemLoader(HERE)
    environment = jinja2.Environment(loader=loader, undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    functions = (score, verdict, ratio, percent, images, baseline, seeds)
    environment.globals.update({function.__name__: function for function in functions})
    environment.globals.update({claim: _claimed(claim) for claim in ("better", "worse", "undecided")})
    return environment.get_template("findings.md.j2").render()


def first_page(page: str) -> str:
    """The README with the part of ``page`` that stands between the same marks."""
    start, end = MARKS
    before, _, rest = README.read_text(encoding="utf-8").partition(start)
    return before + start + page.partition(start)[2].partition(end)[0] + end + rest.partition(end)[2]


def main() -> None:
    page = rendered()
    PAGE.write_text(page, encoding="utf-8")
    README.write_text(first_page(page), encoding="utf-8")


if __name__ == "__main__":
    main()
