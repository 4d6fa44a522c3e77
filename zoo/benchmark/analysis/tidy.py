"""A study as a tidy CSV: one row a cell and metric, numbers as numbers."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from typing import Any

from zoo.benchmark.analysis import comparisons
from zoo.benchmark.analysis.scores import Score
from zoo.benchmark.analysis.study import Study
from zoo.benchmark.tables.cells import DIFFUSION, Cell

_FIXED = ("metric", "higher_is_better", "n_images", "best", "n", "mean", "sd", "note")
_DIFFERENCE = ("difference", "low", "high", "p", "p_holm", "verdict", "seeds", "images", "samplings")
Fields = dict[str, Any]


def tidy(study: Study, *, effects: bool = True) -> str:
    """``kind``, the cell (``method`` and a column for each axis), ``metric``, score and, to a baseline, difference.

    Rows of kind ``cost`` have a cost as their metric, those of kind ``effect`` the main effect of a place on one axis.
    """
    axes = [axis for axis in (study.axes.rows, study.axes.cols) if axis not in ("kind", "method", *_FIXED)]
    columns = ["kind", "method", *axes, *_FIXED, *(_DIFFERENCE if study.differences else ())]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in (*_scores(study), *_costs(study), *(_effects(study) if effects else ())):
        writer.writerow({name: "" if _unknown(value) else value for name, value in row.items()})
    return text.getvalue()


def _scores(study: Study) -> Iterator[Fields]:
    n_images = dict(zip(study.table["metric"], study.table["n_images"]))
    for metric in study.metrics:
        of_metric = {"metric": metric.name, "higher_is_better": metric.higher_is_better}
        found = study.differences.get(metric.name)
        differing = {line.name: _difference(line) for line in found.parts[0].lines} if found and found.parts else {}
        for line in study.lines:
            score = line.scores.get(metric.name)
            if score is not None:
                seen = {"n_images": n_images[metric.name], **_score(score), **differing.get(str(line.cell), {})}
                yield {"kind": "score", **_cell(study, line.cell), **of_metric, **seen}


def _costs(study: Study) -> Iterator[Fields]:
    for line in study.lines:
        for name, value in line.costs.items():
            of_cost = {"metric": name, "mean": value, "n": len(line.seeds)}
            yield {"kind": "cost", **_cell(study, line.cell), **of_cost}


def _effects(study: Study) -> Iterator[Fields]:
    for metric in study.metrics:
        found = study.differences.get(metric.name)
        for axis, part in zip(("row", "col"), found.parts[1:] if found else ()):
            for line in part.lines:
                cell = Cell(DIFFUSION, "", "")._replace(**{axis: line.name})
                of_metric = {"metric": metric.name, "higher_is_better": metric.higher_is_better}
                yield {"kind": "effect", **_cell(study, cell), **of_metric, **_difference(line)}


def _cell(study: Study, cell: Cell) -> Fields:
    """Its places as values: ``train.lr=0.001`` in the column ``train.lr`` is 0.001, and absent is nothing."""
    axes = (study.axes.rows, cell.row), (study.axes.cols, cell.col)
    places = {axis: place.removeprefix(f"{axis}=") for axis, place in axes}
    return {**{axis: "" if place == "absent" else place for axis, place in places.items()}, "method": cell.method}


def _score(score: Score) -> Fields:
    values = {"best": score.best, "n": score.n, "mean": score.mean, "sd": score.sd}
    return {**values, "note": " ".join("; ".join(score.reasons).split())}


def _difference(line: comparisons.Line) -> Fields:
    found = line.result
    if found is None:
        return {"verdict": line.verdict}
    over = {found.unit: found.images or None}
    return {
        **{"difference": found.value, "low": found.low, "high": found.high, "p": found.p, "p_holm": line.adjusted},
        **{"verdict": line.verdict, "seeds": found.seeds, **over},
    }


def _unknown(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
