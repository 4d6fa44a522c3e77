"""Cells as a heat map: the two axes of the table, and what each pair scored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zoo.benchmark.analysis.scores import Metric
from zoo.benchmark.analysis.study import Study
from zoo.benchmark.figures.marks import Styles, chosen, named, remark
from zoo.errors import ZooError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST = 6


def figure(study: Study, wanted: Sequence[str]) -> Figure:
    """A panel for each metric that was asked for."""
    from matplotlib.figure import Figure

    metrics, styles = chosen(study, wanted)[:_MOST], Styles.of(study.lines)
    if not styles.rows:
        raise ZooError("--figure matrix shows pairs, and the table has baselines alone")
    width, height = 1.2 + 0.95 * len(styles.cols), 1.4 + 0.5 * len(styles.rows)
    drawn = Figure(figsize=(width * len(metrics), height), layout="constrained")
    panels = drawn.subplots(1, len(metrics), squeeze=False)[0]
    for axes, metric in zip(panels, metrics):
        _panel(axes, study, metric, styles)
    remark(drawn, [text for metric in metrics for text in _others(study, metric)])
    return drawn


def _panel(axes: Axes, study: Study, metric: Metric, styles: Styles) -> None:
    import numpy as np

    values = np.full((len(styles.rows), len(styles.cols)), np.nan)
    texts = {}
    for line in study.lines:
        score = line.scores.get(metric.name)
        if line.is_baseline or score is None or score.mean is None:
            continue
        at = styles.rows.index(line.cell.row), styles.cols.index(line.cell.col)
        values[at] = score.mean
        spread = "" if score.sd is None else f"\n{score.spread.partition(',')[0]}"
        texts[at] = f"{score.text}{'★' if score.best else ''}{spread}"
    shown = axes.imshow(values, cmap="cividis", aspect="auto")
    middle = np.nanmean([np.nanmin(values), np.nanmax(values)]) if texts else 0.0
    for (row, col), text in texts.items():
        ink = "black" if values[row, col] > middle else "white"
        axes.text(col, row, text, ha="center", va="center", color=ink, size=7.5)
    axes.set_xticks(range(len(styles.cols)), styles.cols)
    axes.set_yticks(range(len(styles.rows)), styles.rows)
    axes.set_title(named(metric), size=9)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.figure.colorbar(shown, ax=axes, shrink=0.8).outline.set_visible(False)


def _others(study: Study, metric: Metric) -> list[str]:
    """A line of small print: what the baselines scored."""
    scored = [(line.cell, line.scores.get(metric.name)) for line in study.lines if line.is_baseline]
    told = [f"{cell} {score.text}" for cell, score in scored if score is not None and score.mean is not None]
    return [f"{metric.name}: {', '.join(told)}"] if told else []
