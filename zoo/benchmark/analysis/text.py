"""A study as text: for the terminal, Markdown or LaTeX."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from zoo.benchmark.analysis.comparisons import Differences, Part
from zoo.benchmark.analysis.intervals import Estimate
from zoo.benchmark.analysis.scores import Line, Metric, Score
from zoo.benchmark.analysis.study import Study
from zoo.benchmark.tables import cells, latex
from zoo.benchmark.tables.cells import COSTS
from zoo.benchmark.tables.text_table import Best, amount, probability, render, signed

Format = Literal["terminal", "markdown", "latex"]
Body = list[list[str]]
_HEAD = ["difference", "95 % interval", "p", "p (Holm)", "", "seeds", "images"]
_EXPLAINED = (
    "intervals are over seeds and images (or samplings, where these are named; over seeds alone, where images is –); "
    "below a p (Holm) of 0.05 a difference is claimed, else it is undecided"
)
MARKED = "a pair is marked where p < 0.05 that it is better than each other pair"


def text(study: Study, format: Format, *, effects: bool | None = None, layout: str = "matrix") -> str:
    """All of it; ``effects``: whether main effects are shown, None where they can be had; ``layout``: a table of pairs
    for each metric ("matrix"), or one table of all with a column for each ("metrics")."""
    parts = _whole(study) if layout == "metrics" else _matrices(study)
    parts.append(Shown("costs", "costs", [costs(study)], left=range(len(_head(study)))))
    found = [_laid(part, format) for part in parts]
    head, *rest = remarks(study)
    found += [_remark(line, format) for line in (head, *(f"note: {line}" for line in rest))]
    for metric in study.metrics:
        if metric.name in study.differences:
            found += _differences(metric, study.differences[metric.name], format, effects is not False)
    if study.differences:
        found.append(_remark(f"{_EXPLAINED}; {adjusted_over(study)}", format))
    return (latex.document(found) if format == "latex" else "\n\n".join(found)) + "\n"


@dataclass(frozen=True)
class Shown:
    """A table to lay out: bodies below each other under a title, and footnotes. ``label``, ``caption``: by what a paper
    refers to it, and what else it says of a table that stands alone."""

    label: str
    title: str
    bodies: Sequence[Body]
    notes: Sequence[str] = ()
    left: Sequence[int] = (0,)
    caption: str = ""


def remarks(study: Study) -> list[str]:
    """What was scored and how, and what a reader should know."""
    return [f"{_about(study)}; protocol {', '.join(sorted(set(_shown(study)['protocol_id'])))}", *study.told]


def scores(lines: Sequence[Line], metric: Metric, axis: str, runs: int | None = None) -> tuple[Body, Body, list[str]]:
    """Cells of one metric as a matrix, a line for each baseline, and footnotes on missing scores.

    A cell is the mean over runs, with ± the standard deviation if there are several, and their number unless it is
    ``runs``; the best pair is marked where it is decided, a number in brackets refers to a footnote, an empty cell was
    never run. Either table may be empty.
    """
    notes: list[str] = []
    scored = [line for line in lines if metric.name in line.scores]
    pairs = {(line.cell.row, line.cell.col): line for line in scored if not line.is_baseline}
    cols = sorted({col for _, col in pairs}, key=cells.in_line)
    matrix = [[axis, *cols]] if pairs else []
    for row in dict.fromkeys(row for row, _ in pairs):
        here = [pairs.get((row, col)) for col in cols]
        matrix.append([row, *("" if line is None else _score(line.scores[metric.name], notes, runs) for line in here)])
    others = [[str(line.cell), _score(line.scores[metric.name], notes, runs)] for line in scored if line.is_baseline]
    return matrix, [["baseline", "score"], *others] if others else [], notes


def costs(study: Study) -> Body:
    """What each cell takes: means over its runs; less what is known of none."""
    known = {
        column: name for column, name in COSTS.items() if not all(math.isnan(x.costs[column]) for x in study.lines)
    }
    body = [[*_head(study), *known.values()]]
    for line in study.lines:
        body.append([*line.cell[-len(_head(study)) :], *(amount(line.costs[column]) for column in known)])
    return body


def difference_rows(part: Part) -> tuple[Body, list[str]]:
    """The lines of a part under their head, and footnotes."""
    notes: list[str] = []
    body = [[part.first, *_HEAD]]
    for line in part.lines:
        mark = _marked(line.doubt, notes) if line.doubt else ""
        found = line.result
        if found is None:
            body.append([line.name, f"– {mark}", "", "", "", line.verdict, "", ""])
            continue
        interval = "–" if math.isnan(found.low) else f"{signed(found.low)} … {signed(found.high)}"
        ps = [probability(found.p), probability(line.adjusted), f"{line.verdict} {mark}".strip()]
        body.append([line.name, signed(found.value), interval, *ps, str(found.seeds), _over(found)])
    return body, notes


def _over(found: Estimate) -> str:
    """How many images, or what stands for them."""
    return "–" if not found.images else str(found.images) if found.unit == "images" else f"{found.images} {found.unit}"


def adjusted_over(study: Study) -> str:
    """Of how many lines p is adjusted, in words."""
    if not study.primary:
        return "p (Holm) is adjusted for all lines of a table, each metric by itself, as none was named as primary"
    return (
        f"{study.primary} is primary, named beforehand: its p (Holm) is adjusted for the lines of its own tables, that "
        "of all other metrics, shown or not, for their lines together"
    )


def _matrices(study: Study) -> list[Shown]:
    parts = []
    for metric in study.metrics:
        matrix, baselines, notes = scores(study.lines, metric, study.axes.rows, _runs_each(study))
        bodies = [body for body in (matrix, baselines) if body]
        parts.append(Shown(metric.name, f"{metric.name} ({metric.sense})", bodies, notes, caption=_caption(study)))
    return parts


def _whole(study: Study) -> list[Shown]:
    head, notes = _head(study), list[str]()
    body = [[*head, *(f"{metric.name} {metric.arrow}".strip() for metric in study.metrics)]]
    for line in study.lines:
        found = [line.scores.get(metric.name) for metric in study.metrics]
        texts = ["" if score is None else _score(score, notes, _runs_each(study)) for score in found]
        body.append([*line.cell[-len(head) :], *texts])
    return [Shown("scores", "scores", [body], notes, range(len(head)), _caption(study))]


def _head(study: Study) -> list[str]:
    """What names a cell."""
    baselines = any(line.is_baseline for line in study.lines)
    return [*(["method"] if baselines else []), study.axes.rows, study.axes.cols]


def _runs_each(study: Study) -> int | None:
    """Over how many runs all means with a spread are; None: it differs."""
    found = {score.n for line in study.lines for score in line.scores.values() if score.sd is not None}
    return found.pop() if len(found) == 1 else None


def _shown(study: Study) -> pd.DataFrame:
    """Its rows, less those of metrics that are not shown."""
    return study.table[study.table["metric"].isin([metric.name for metric in study.metrics])]


def _about(study: Study) -> str:
    n = ", ".join(map(str, sorted(set(_shown(study)["n_images"]))))
    several = any(score.sd is not None for line in study.lines for score in line.scores.values())
    spread = f"; ± is the standard deviation over {_runs_each(study) or 'n'} seeds" if several else ""
    return f"{n} images{spread}{'; ' + MARKED if _any_best(study) else ''}"


def _caption(study: Study) -> str:
    return _about(study).replace("is marked", "is bold")


def _any_best(study: Study) -> bool:
    return any(score.best for line in study.lines for score in line.scores.values())


def _differences(metric: Metric, found: Differences, format: Format, effects: bool) -> list[str]:
    parts = []
    for part in found.parts if effects else found.parts[:1]:
        body, notes = difference_rows(part)
        title = f"{metric.name} ({metric.sense}): {part.title}"
        parts.append(_laid(Shown(f"{metric.name} {part.title}", title, [body], notes, (0, 5), _EXPLAINED), format))
    return parts + ([_remark(f"{metric.name}: {found.remark}", format)] if found.remark else [])


def _score(score: Score, notes: list[str], runs: int | None) -> str:
    if score.mean is None:
        return f"– {_marked(score.reasons[0], notes)}"
    spread = "" if score.sd is None else f" {score.spread.partition(', ')[0]}"
    number = "" if score.sd is None or score.n == runs else f" (n={score.n})"
    text = f"{score.text}{spread}{number}"
    return Best(text) if score.best else text


def _marked(reason: str, notes: list[str]) -> str:
    """The number of a footnote, which is added if it is new."""
    if reason not in notes:
        notes.append(reason)
    return f"[{notes.index(reason) + 1}]"


def _laid(part: Shown, format: Format) -> str:
    foot = [f"[{i}] {note}" for i, note in enumerate(part.notes, 1)]
    if format == "latex":
        caption = f"{part.title}. {part.caption[:1].upper()}{part.caption[1:]}".strip().rstrip(".") + "."
        return latex.table(caption, part.label, part.bodies, foot, part.left)
    middle = "\n\n".join(render(body, format, left=part.left) for body in part.bodies)
    gap = "\n" if format == "markdown" else ""
    below = f"\n{gap}" + ("  \n" if gap else "\n").join(foot) if foot else ""
    return f"{'### ' if gap else ''}{part.title}\n{gap}{middle}{below}"


def _remark(line: str, format: Format) -> str:
    return latex.comment(line) if format == "latex" else line
