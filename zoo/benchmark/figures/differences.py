"""Each cell less the baseline, with its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zoo.benchmark.analysis.comparisons import Line
from zoo.benchmark.analysis.scores import Metric
from zoo.benchmark.analysis.study import Study
from zoo.benchmark.figures.marks import BETTER, DIFFERENT, GREY, WORSE, bounds, chosen, named
from zoo.benchmark.tables.text_table import signed
from zoo.errors import ZooError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INKS = {"better": BETTER, "worse": WORSE, "different": DIFFERENT, "undecided": GREY}


def figure(study: Study, wanted: Sequence[str]) -> Figure:
    """A panel for each metric that was asked for."""
    from matplotlib.figure import Figure

    if study.base is None:
        raise ZooError("--figure differences shows differences to a baseline; give --baseline encoder=…,cond=… too")
    metrics = chosen(study, wanted)
    found = {metric.name: study.differences[metric.name].parts[:1] for metric in metrics}
    if lacking := [name for name, parts in found.items() if not parts]:
        raise ZooError(f"{lacking[0]}: {study.differences[lacking[0]].remark}")
    names = list(dict.fromkeys(line.name for parts in found.values() for line in parts[0].lines))
    drawn = Figure(figsize=(1.6 + 2.6 * len(metrics), 1.0 + 0.22 * len(names)), layout="constrained")
    panels = drawn.subplots(1, len(metrics), squeeze=False, sharey=True)[0]
    for axes, metric in zip(panels, metrics):
        _panel(axes, metric, found[metric.name][0].lines, names)
    panels[0].set_yticks(range(len(names)), names)
    panels[0].set_ylim(len(names) - 0.4, -0.6)
    drawn.supxlabel(f"less {study.base}, 95 % intervals; hollow: undecided", size=9)
    return drawn


def _panel(axes: Axes, metric: Metric, lines: Sequence[Line], names: Sequence[str]) -> None:
    low, high = bounds([0.0, *_ends(lines, pairs=True)], _ends(lines, pairs=False))
    for line in lines:
        place, ink, found = names.index(line.name), _INKS[line.verdict], line.result
        if found is None:
            axes.annotate("–", (0, place), va="center", ha="center", color=GREY)
        elif low <= found.value <= high:
            if math.isfinite(found.low):
                axes.plot([found.low, found.high], [place, place], color=ink, lw=1.5)
            filled = ink if line.verdict != "undecided" else "white"
            axes.plot(found.value, place, marker="o", ms=5, color=ink, mfc=filled)
        else:  # an arrow at the edge, and how far it goes
            right = found.value > high
            axes.plot(high if right else low, place, marker=">" if right else "<", ms=5, color=ink, clip_on=False)
            at, side = ((high, place), -6) if right else ((low, place), 6)
            given: dict[str, Any] = {"textcoords": "offset points", "va": "center", "ha": "right" if right else "left"}
            axes.annotate(signed(found.value), at, (side, 0), size=7, color=ink, **given)
    axes.axvline(0, color="black", lw=0.8, zorder=0)
    axes.set(xlim=(low, high))
    axes.set_title(named(metric), size=9)
    axes.locator_params(axis="x", nbins=4)
    axes.grid(lw=0.4)
    axes.set_axisbelow(True)


def _ends(lines: Sequence[Line], *, pairs: bool) -> list[float]:
    known = [line.result for line in lines if line.result is not None and (line.kind == "pair") == pairs]
    return [end for one in known for end in (one.low, one.value, one.high) if math.isfinite(end)]
