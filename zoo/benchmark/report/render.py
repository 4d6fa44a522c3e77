"""One HTML page of template, style, scripts and data, that asks nobody for anything."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from zoo.benchmark.report.curves import POINTS, SMOOTHED, Curve
from zoo.benchmark.report.differences import Found
from zoo.benchmark.report.facts import Facts
from zoo.benchmark.report.pictures import Pictures
from zoo.benchmark.report.scores import Line, Metric, amount, missing
from zoo.benchmark.tables.cells import COSTS

HERE = Path(__file__).parent
SCRIPTS = ("svg.js", "scales.js", "sorting.js", "matrix.js", "forest.js", "scatter.js", "curves.js", "page.js")
_LOGARITHMIC = ("params", "encoder_params", "cond_params", "images_seen", "train_seconds", "sample_seconds_per_image")


@dataclass(frozen=True)
class Contents:
    """What the page shows.

    Attributes:
        choice: the metric that is looked at first; None: there is no score at all.
        every_column: whether metrics without a better side are shown from the start.
        base: the cell that differences are to, if one was given.
        pictures: None: there are no strips; ``no_pictures`` says why.
    """

    facts: Facts
    metrics: list[Metric]
    lines: list[Line]
    choice: str | None
    every_column: bool
    base: str
    differences: dict[str, Found]
    curves: list[Curve]
    without_curve: list[str]
    pictures: Pictures | None
    no_pictures: str


def html(contents: Contents) -> str:
    """The page. Scripts run only if their hash is in its policy, so nothing that a label says can."""
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
        costs=COSTS,
        missing=missing(contents.lines, contents.metrics),
        data=_data(contents),
        points=POINTS,
        smoothed=SMOOTHED,
        policy=policy,
        style=Markup(style),
        script=Markup(script),
    )


def _data(contents: Contents) -> dict[str, Any]:
    """What the scripts draw."""
    return {
        "choice": contents.choice,
        "metrics": [{**asdict(metric), "sense": metric.sense} for metric in contents.metrics],
        "costs": [{"name": name, "label": label, "log": name in _LOGARITHMIC} for name, label in COSTS.items()],
        "cells": [_cell(line) for line in contents.lines],
        "differences": {name: asdict(found) for name, found in contents.differences.items()},
        "curves": [{**asdict(c), "cell": str(c.cell), "method": c.cell.method} for c in contents.curves],
    }


def _cell(line: Line) -> dict[str, Any]:
    return {
        "label": str(line.cell),
        **line.cell._asdict(),
        "pair": not line.is_baseline,
        "trains": line.trains,
        "scores": {name: asdict(score) for name, score in line.scores.items()},
        "costs": line.costs,
    }


def _hash(text: str) -> str:
    """As a content security policy writes it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
