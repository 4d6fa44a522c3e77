"""One HTML page of template, style, scripts and data, that asks nobody for anything."""

from __future__ import annotations

import base64
import hashlib
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from zoo.benchmark.analysis.comparisons import Differences, Part
from zoo.benchmark.analysis.scores import Line, missing
from zoo.benchmark.analysis.study import Study
from zoo.benchmark.analysis.text import adjusted_over, difference_rows
from zoo.benchmark.report.curves import POINTS, SMOOTHED, Curve
from zoo.benchmark.report.facts import Facts
from zoo.benchmark.report.pictures import Pictures
from zoo.benchmark.tables.cells import COSTS, in_line
from zoo.benchmark.tables.text_table import amount

HERE = Path(__file__).parent
SCRIPTS = (
    "svg.js",
    "scales.js",
    "sorting.js",
    "matrix.js",
    "forest.js",
    "scatter.js",
    "told.js",
    "curves.js",
    "page.js",
)
_LINEAR = ("peak_memory_mb",)  # of the costs


@dataclass(frozen=True)
class Contents:
    """What the page shows.

    Attributes:
        choice: the metric that is looked at first; None: there is no score at all.
        every_column: whether metrics without a better side are shown from the start.
        pictures: None: there are no sample grids; ``no_pictures`` says why.
    """

    study: Study
    facts: Facts
    choice: str | None
    every_column: bool
    curves: list[Curve]
    without_curve: list[str]
    pictures: Pictures | None
    no_pictures: str


def html(contents: Contents) -> str:
    """The page. Scripts run only if their hash is in its policy, so nothing that a label says can."""
    study = contents.study
    style = (HERE / "style.css").read_text(encoding="utf-8")
    script = "\n".join((HERE / name).read_text(encoding="utf-8") for name in SCRIPTS)
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["amount"] = amount
    return environment.get_template("page.html.j2").render(
        **vars(contents),
        metrics=study.metrics,
        lines=study.lines,
        axes=study.axes,
        base="" if study.base is None else str(study.base),
        adjusted=adjusted_over(study),
        costs=COSTS,
        told=any("@" in metric.name for metric in study.metrics),
        missing=missing(study.lines, study.metrics),
        data=_data(contents),
        points=POINTS,
        smoothed=SMOOTHED,
        policy=policy,
        style=Markup(style),
        script=Markup(script),
    )


def _data(contents: Contents) -> dict[str, Any]:
    """What the scripts draw."""
    study = contents.study
    return {
        "choice": contents.choice,
        "metrics": [{**asdict(metric), "sense": metric.sense} for metric in study.metrics],
        "cols": sorted({line.cell.col for line in study.lines}, key=in_line),
        "costs": [{"name": name, "label": label, "log": name not in _LINEAR} for name, label in COSTS.items()],
        "cells": [_cell(line) for line in study.lines],
        "differences": {name: _differences(found) for name, found in study.differences.items()},
        "curves": [{**asdict(c), "cell": str(c.cell), "method": c.cell.method} for c in contents.curves],
    }


def _cell(line: Line) -> dict[str, Any]:
    return {
        "label": str(line.cell),
        **line.cell._asdict(),
        "pair": not line.is_baseline,
        "trains": line.trains,
        "scores": {name: asdict(score) for name, score in line.scores.items()},
        "costs": {name: cost for name, cost in line.costs.items() if not math.isnan(cost)},
    }


def _differences(found: Differences) -> dict[str, Any]:
    return {"parts": [_part(part) for part in found.parts], "remark": found.remark}


def _part(part: Part) -> dict[str, Any]:
    """The texts are those of the terminal, so that page and terminal say the same."""
    body, notes = difference_rows(part)
    lines = []
    for line, texts in zip(part.lines, body[1:]):
        found = line.result
        ends = {name: None if found is None else _finite(getattr(found, name)) for name in ("value", "low", "high")}
        decided = "" if line.verdict == "undecided" else line.verdict
        lines.append({"kind": line.kind, **ends, "texts": texts, "decided": decided})
    title = part.title[:1].upper() + part.title[1:]
    return {"title": title, "lines": lines, "notes": [f"[{i}] {note}" for i, note in enumerate(notes, 1)]}


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _hash(text: str) -> str:
    """As a content security policy writes it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
