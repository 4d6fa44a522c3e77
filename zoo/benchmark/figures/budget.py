"""A score against what was spent on it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from zoo.benchmark.analysis.scores import Line
from zoo.benchmark.analysis.study import Study
from zoo.benchmark.figures.marks import Styles, chosen, named, remark
from zoo.benchmark.figures.points import Place, number_of, panel
from zoo.errors import ZooError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Spent = Callable[[Line], float]  # NaN: not known, or nothing


def figure(study: Study, wanted: Sequence[str]) -> Figure:
    """Of the first metric that was asked for; a panel for each measure of what training took."""
    from matplotlib.figure import Figure

    metric, styles = chosen(study, wanted)[0], Styles.of(study.lines)
    trained = [line for line in study.lines if line.trains]
    if not trained:
        raise ZooError("--figure budget shows what training took, and nothing in the table trains")

    def placed(spent: Spent) -> Callable[[Line], Place | None]:
        def place(line: Line) -> Place | None:
            score, x = line.scores.get(metric.name), spent(line)
            if score is None or score.mean is None or not x > 0:
                return None
            return Place(x, score.mean, 0.0, score.sd or 0.0)

        return place

    known = {name: spent for name, spent in _budgets(study).items() if any(placed(spent)(line) for line in trained)}
    if not known:
        raise ZooError(f"no cell that trains has a value of {metric.name} and a cost: there is nothing to draw")
    compared = [line for line in trained if not line.is_baseline] or trained
    varied = {name: spent for name, spent in known.items() if len({spent(line) for line in compared}) > 1}
    budgets = varied or dict(list(known.items())[-1:])
    drawn = Figure(figsize=(1.4 + 3.4 * len(budgets), 3.6), layout="constrained")
    panels = drawn.subplots(1, len(budgets), squeeze=False, sharey=True)[0]
    outside = []
    for axes, (name, spent) in zip(panels, budgets.items()):
        values = [x for line in compared if (x := spent(line)) > 0]
        log = bool(values) and max(values) > 3 * min(values)
        outside += panel(axes, trained, placed(spent), styles, log="x" if log else "")
        axes.set_xlabel(name + (" (logarithmic)" if log else ""))
    remark(drawn, [f"outside the picture: {'; '.join(outside)}"] if outside else [])
    panels[0].set_ylabel(named(metric))
    drawn.legend(handles=styles.key(), loc="outside right upper")
    return drawn


def _budgets(study: Study) -> dict[str, Spent]:
    """Training steps where they are an axis, images seen, and seconds with all that is done once before training."""
    found: dict[str, Spent] = {}
    for axis, place in ((study.axes.rows, "row"), (study.axes.cols, "col")):
        if axis == "train.steps":
            found["training steps"] = lambda line, place=place: _number(getattr(line.cell, place))  # type: ignore[misc]
    found["images seen"] = lambda line: line.costs["images_seen"]
    found["seconds: training, features, pretraining"] = _seconds
    return found


def _seconds(line: Line) -> float:
    known = [line.costs[name] for name in ("train_seconds", "feature_seconds", "pretrain_seconds")]
    return sum(seconds for seconds in known if not math.isnan(seconds))


def _number(place: str) -> float:
    try:
        return float(number_of(place))
    except ValueError:  # a baseline has no place there
        return math.nan
