"""Tables of encoder × conditioner from result rows: scores, costs, differences."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from zoo.benchmark.analysis import comparisons
from zoo.benchmark.analysis.comparisons import Comparison, Scores
from zoo.benchmark.config.options import unknown
from zoo.benchmark.tables import cells, protocols, table_files
from zoo.benchmark.tables.cells import CELL, DIFFUSION, Cell
from zoo.benchmark.tables.text_table import Format, latex, render
from zoo.errors import ZooError

_BETTER = {True: "higher is better", False: "lower is better", None: "to compare with the truth"}
_EXPLAINED = (
    "intervals are over seeds and images, where images is – over seeds alone; p (Holm) is adjusted for all lines of a "
    "table: below 0.05 a difference is claimed, else it is undecided"
)


def refuse_mixtures(table: pd.DataFrame, tables: Sequence[Path] = (), runs_dir: Path = Path("results/runs")) -> None:
    """Raises `ZooError` where rows were scored in different ways, or where runs of one cell differ in more than
    their seed (trained longer, say): their mean would mean nothing.

    Args:
        tables, runs_dir: where records of protocols are looked for.
    """
    runs = cells.runs_by(table, "protocol_id")
    if len(runs) > 1:
        how = protocols.difference(runs, protocols.find(tables, runs_dir, runs))
        raise ZooError(f"{len(runs)} protocols are mixed: {how}; give tables of one, or --force")
    each = table.drop_duplicates("run_id")
    twice = each[each.duplicated([*CELL, "seed"], keep=False)]
    if not twice.empty:
        cell, of_it = next(iter(cells.by_cell(twice).items()))
        seed = of_it["seed"].iloc[0]
        same = of_it[of_it["seed"] == seed]
        raise ZooError(
            f"{cell} has {len(same)} different runs with seed {seed}: {protocols.few(same['run_id'])}; "
            "give tables that hold one of them, or --force"
        )


def report(table: pd.DataFrame, metrics: Sequence[str], format: Format) -> str:
    """Scores and costs."""
    parts = []
    for metric in metrics:
        matrix, baselines, notes = cells.scores(table, metric)
        title = f"{metric} ({_BETTER[_higher(table, metric)]})"
        bodies = [body for body in (matrix, baselines) if body]
        parts.append(_part(title, bodies, notes, format))
    costs = cells.costs(table)
    parts.append(_part("costs", [costs], [], format, left=range(costs[0].index("cond") + 1)))
    n, named = sorted(set(table["n_images"])), sorted(set(table["protocol_id"]))
    spread = "; ± is the standard deviation over n seeds" if table["seed"].nunique() > 1 else ""
    about = f"{', '.join(map(str, n))} images, protocol {', '.join(named)}{spread}"
    return "\n\n".join([*parts, *_remark(about, format)]) + "\n"


def differences(
    table: pd.DataFrame,
    metrics: Sequence[str],
    base: Cell,
    per_image: pd.DataFrame,
    format: Format,
    wanted: bool | None,
) -> str:
    """How cells differ from ``base``, and the main effects; ``wanted``: None shows these where they can be had."""
    parts = []
    others = [cell for cell in cells.of(table) if cell != base]
    for metric in metrics:
        comparison = Comparison(Scores.of(table, metric, per_image))
        known = {*comparison.scores.cells, *comparison.scores.missing}
        if base not in known:
            raise ZooError(
                f"--baseline: {base} has no row of {metric}; leave out that metric, or score the run with it"
            )
        title = f"{metric} ({_BETTER[_higher(table, metric)]}): differences"
        lines = comparisons.against(comparison, base, [cell for cell in others if cell in known])
        body, notes = comparisons.as_table(f"less {base}", lines)
        parts.append(_part(title, [body], notes, format, left=(0, 5)))
        possible = base.method == DIFFUSION and comparisons.complete(comparison)
        if wanted and not possible:
            raise ZooError(f"--effects: {metric} lacks pairs of encoder × cond, or the baseline is no such pair")
        if possible and wanted is not False:
            for axis in ("encoder", "cond"):
                lines = comparisons.main_effects(comparison, base, axis)
                body, notes = comparisons.as_table(f"{axis} less {getattr(base, axis)}", lines)
                parts.append(_part(f"{metric}: main effects of {axis}", [body], notes, format, left=(0, 5)))
            parts += _remark(f"{metric}: {comparison.interaction()}", format)
    return "\n\n".join([*parts, *_remark(_EXPLAINED, format)]) + "\n"


def compare(given: argparse.Namespace) -> None:
    """What the command ``compare`` does, with its arguments. Raises `ZooError` for what a user can mend."""
    if given.out and given.out.exists():
        raise ZooError(f"{given.out} exists and is not overwritten; choose another --out or delete it")
    if given.effects is not None and not given.baseline:
        raise ZooError("--effects are differences to a baseline; give --baseline encoder=…,cond=… too")
    tables = table_files.paths(given.tables)
    table = table_files.load(tables)
    metrics = _metrics(table, given.metric)
    base = comparisons.baseline(table, given.baseline) if given.baseline else None
    if not given.force:
        refuse_mixtures(table, tables, given.runs)
    text = report(table, metrics, given.format)
    if base is not None:
        values = table_files.per_image(tables, given.runs, table["run_id"].unique(), metrics)
        text += "\n" + differences(table, metrics, base, values, given.format, given.effects)
    if given.out:
        given.out.write_text(text, encoding="utf-8")
    else:
        print(text, end="")


def _metrics(table: pd.DataFrame, wanted: Sequence[str]) -> list[str]:
    known = list(dict.fromkeys(table["metric"]))
    for metric in wanted:
        if metric not in known:
            raise ZooError(unknown("metric", metric, known))
    return list(dict.fromkeys(wanted)) or known


def _higher(table: pd.DataFrame, metric: str) -> bool | None:
    better: bool | None = table.loc[table["metric"] == metric, "higher_is_better"].iloc[0]
    return better


def _part(
    title: str, bodies: Sequence[list[list[str]]], notes: list[str], format: Format, left: Sequence[int] = (0,)
) -> str:
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


def _remark(text: str, format: Format) -> list[str]:
    return [latex(text) if format == "latex" else f"# {text}" if format == "csv" else text]
