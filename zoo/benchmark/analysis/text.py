"""A study as text: for the terminal, Markdown, CSV or LaTeX."""

from __future__ import annotations

import math
from collections.abc import Sequence

from zoo.benchmark.analysis.comparisons import Differences, Part
from zoo.benchmark.analysis.intervals import Estimate
from zoo.benchmark.analysis.scores import Line, Metric, Score
from zoo.benchmark.analysis.study import Study
from zoo.benchmark.tables import cells
from zoo.benchmark.tables.cells import COSTS
from zoo.benchmark.tables.text_table import Format, amount, latex, probability, render, signed

Body = list[list[str]]
_HEAD = ["difference", "95 % interval", "p", "p (Holm)", "", "seeds", "images"]
_EXPLAINED = (
    "intervals are over seeds and images (or samplings, where these are named; over seeds alone, where images is –); "
    "below a p (Holm) of 0.05 a difference is claimed, else it is undecided"
)


def text(study: Study, format: Format, *, effects: bool | None = None) -> str:
    """All of it; ``effects``: whether main effects are shown, None where they can be had."""
    parts = []
    for metric in study.metrics:
        matrix, baselines, notes = scores(study.lines, metric, study.axes.rows)
        bodies = [body for body in (matrix, baselines) if body]
        parts.append(_part(f"{metric.name} ({metric.sense})", bodies, notes, format))
    table = costs(study)
    parts.append(_part("costs", [table], [], format, left=range(table[0].index(COSTS["params"]))))
    parts += _remarks([_about(study), *(f"note: {line}" for line in study.told)], format)
    for metric in study.metrics:
        if metric.name in study.differences:
            parts += _differences(metric, study.differences[metric.name], format, effects is not False)
    if study.differences:
        parts += _remarks([f"{_EXPLAINED}; {adjusted_over(study)}"], format)
    return "\n\n".join(parts) + "\n"


def scores(lines: Sequence[Line], metric: Metric, axis: str) -> tuple[Body, Body, list[str]]:
    """Cells of one metric as a matrix, a line for each baseline, and footnotes on missing scores.

    A cell is the mean over runs, with ± the standard deviation and their number if there are several; ``*`` marks the
    best pair, a number in brackets refers to a footnote, an empty cell was never run. Either table may be empty.
    """
    notes: list[str] = []
    scored = [line for line in lines if metric.name in line.scores]
    pairs = {(line.cell.row, line.cell.col): line for line in scored if not line.is_baseline}
    cols = sorted({col for _, col in pairs}, key=cells.in_line)
    matrix = [[axis, *cols]] if pairs else []
    for row in dict.fromkeys(row for row, _ in pairs):
        here = [pairs.get((row, col)) for col in cols]
        matrix.append([row, *("" if line is None else _score(line.scores[metric.name], notes) for line in here)])
    others = [[str(line.cell), _score(line.scores[metric.name], notes)] for line in scored if line.is_baseline]
    return matrix, [["baseline", "score"], *others] if others else [], notes


def costs(study: Study) -> Body:
    """What each cell takes: means over its runs."""
    baselines = any(line.is_baseline for line in study.lines)
    head = [*(["method"] if baselines else []), study.axes.rows, study.axes.cols]
    body = [[*head, *COSTS.values()]]
    for line in study.lines:
        body.append([*line.cell[-len(head) :], *(amount(line.costs[column]) for column in COSTS)])
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


def _about(study: Study) -> str:
    table = study.table
    n, named = sorted(set(table["n_images"])), sorted(set(table["protocol_id"]))
    spread = "; ± is the standard deviation over n seeds" if table["seed"].nunique() > 1 else ""
    return f"{', '.join(map(str, n))} images, protocol {', '.join(named)}{spread}"


def _differences(metric: Metric, found: Differences, format: Format, effects: bool) -> list[str]:
    parts = []
    for part in found.parts if effects else found.parts[:1]:
        body, notes = difference_rows(part)
        parts.append(_part(f"{metric.name} ({metric.sense}): {part.title}", [body], notes, format, left=(0, 5)))
    return parts + (_remarks([f"{metric.name}: {found.remark}"], format) if found.remark else [])


def _score(score: Score, notes: list[str]) -> str:
    if score.mean is None:
        return f"– {_marked(score.reasons[0], notes)}"
    spread = "" if score.sd is None else f" {score.spread.replace(', ', ' (')})"
    return f"{'* ' if score.best else ''}{score.text}{spread}"


def _marked(reason: str, notes: list[str]) -> str:
    """The number of a footnote, which is added if it is new."""
    if reason not in notes:
        notes.append(reason)
    return f"[{notes.index(reason) + 1}]"


def _part(title: str, bodies: Sequence[Body], notes: list[str], format: Format, left: Sequence[int] = (0,)) -> str:
    foot = [f"[{i}] {note}" for i, note in enumerate(notes, 1)]
    if format == "latex":
        middle = "\n\n\\medskip\n".join(render(body, format, left=left) for body in bodies)
        small = [f"\n\\par\\footnotesize {latex(note)}" for note in foot]
        head = ["\\begin{table}", "\\centering", f"\\caption{{{latex(title)}}}"]
        return "\n".join([*head, middle, *small, "\\end{table}"])
    if format == "csv":
        return "\n".join([f"# {title}", *(render(body, format) for body in bodies), *(f"# {note}" for note in foot)])
    middle = "\n\n".join(render(body, format, left=left) for body in bodies)
    gap = "\n" if format == "markdown" else ""
    below = f"\n{gap}" + ("  \n" if gap else "\n").join(foot) if foot else ""
    return f"{'### ' if gap else ''}{title}\n{gap}{middle}{below}"


def _remarks(lines: Sequence[str], format: Format) -> list[str]:
    return [latex(line) if format == "latex" else f"# {line}" if format == "csv" else line for line in lines]
