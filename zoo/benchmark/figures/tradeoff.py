"""Perception against distortion (Blau & Michaeli 2018): a distance of sets against a paired one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zoo.benchmark.analysis.scores import Line
from zoo.benchmark.analysis.study import Study
from zoo.benchmark.figures.marks import Styles, named
from zoo.benchmark.figures.points import Place, panel, place_of
from zoo.errors import ZooError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_OF_SETS = ("fd_", "fid", "kid", "mmd")  # beginnings of scores, what to take first
_PAIRED = ("st_lpips", "lpips", "psnr", "ciede2000", "ssim")


def figure(study: Study, wanted: Sequence[str]) -> Figure:
    """Of the first distance of sets and the first paired score, of those that were asked for if there are any."""
    from matplotlib.figure import Figure

    names = [metric.name for metric in study.metrics]
    of_sets, paired = first(names, wanted, _OF_SETS), first(names, wanted, _PAIRED)
    if of_sets is None or paired is None:
        raise ZooError(
            "--figure tradeoff takes a distance of sets (fd, fid, kid, mmd) and a paired score (st_lpips, lpips, psnr, "
            f"ciede2000, ssim); the table has {', '.join(names)}"
        )
    known = {metric.name: metric for metric in study.metrics}
    styles = Styles.of(study.lines)

    def place(line: Line) -> Place | None:
        return place_of(line, paired, of_sets)

    there = [line for line in study.lines if place(line)]
    if not there:
        raise ZooError(f"no cell has both {of_sets} and {paired}: there is nothing to draw")
    apart = len({line.is_baseline for line in there}) > 1
    drawn = Figure(figsize=(8.6 if apart else 5.6, 3.6), layout="constrained")
    panels = drawn.subplots(1, 1 + apart, squeeze=False)[0]
    panel(panels[0], there, place, styles)
    if apart:
        panel(panels[1], there, place, styles, log="xy", whole=True)
        panels[0].set_title("the pairs", size=9)
        panels[1].set_title("with all baselines, logarithmic", size=9)
    for axes in panels:
        axes.set(xlabel=f"distortion: {named(known[paired])}", ylabel=f"perception: {named(known[of_sets])}")
    drawn.legend(handles=styles.key(), loc="outside right upper")
    return drawn


def first(names: Sequence[str], wanted: Sequence[str], beginnings: Sequence[str]) -> str | None:
    """The first of ``wanted`` that begins so, else the first of ``names`` by the order of ``beginnings``."""
    asked = [name for name in wanted if name in names and name.startswith(tuple(beginnings))]
    usual = [name for beginning in beginnings for name in names if name.startswith(beginning)]
    return next(iter([*asked, *usual]), None)
