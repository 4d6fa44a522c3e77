"""Tables of encoder × conditioner from result rows: python benchmarks/compare.py results/*.csv"""

from __future__ import annotations

import argparse
import glob
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

try:
    from benchmarks import cli, rows
    from benchmarks.options import unknown
    from benchmarks.text_table import Format, number, render
    from zoo.errors import ZooError
except ModuleNotFoundError as missing:
    sys.exit(f"error: {missing.name} is not installed; run `make demo`, or `pip install -e .` in the project's root")

_COSTS = {
    "params": "parameters",
    "encoder_params": "of the encoder",
    "cond_params": "of the conditioner",
    "images_seen": "images seen",
    "train_seconds": "training s",
    "sample_seconds_per_image": "sampling s/image",
    "peak_memory_mb": "peak MB",
}
_BETTER = {True: "higher is better", False: "lower is better", None: "to compare with the truth"}


def load(patterns: Iterable[str]) -> pd.DataFrame:
    """Rows of all tables; a pattern may be a glob. Raises `ZooError` for one that names no table."""
    parts = []
    for pattern in patterns:
        paths = sorted(glob.glob(pattern, recursive=True)) or [pattern]
        parts += [rows.read(Path(path)) for path in paths]
    found = rows.frame(rows.merge(*parts))
    if found.empty:
        raise ZooError(f"{', '.join(patterns)}: no rows in there; run benchmarks/run.py first")
    return found


def refuse_mixtures(table: pd.DataFrame) -> None:
    """Raises `ZooError` where rows were scored in different ways, or where runs of one cell differ in more than
    their seed (trained longer, say): their mean would mean nothing."""
    protocols = table.groupby("protocol_id")["run_id"].unique()
    if len(protocols) > 1:
        named = "; ".join(f"{protocol}: runs {_few(runs)}" for protocol, runs in protocols.items())
        raise ZooError(
            f"{len(protocols)} protocols are mixed (other images, sampler, metrics or versions): {named}; "
            "give tables of one, or --force"
        )
    runs = table.drop_duplicates("run_id")
    for encoder, cond, seed in set(zip(runs["encoder"], runs["cond"], runs["seed"])):
        same = runs[(runs["encoder"] == encoder) & (runs["cond"] == cond) & (runs["seed"] == seed)]
        if len(same) > 1:
            raise ZooError(
                f"{encoder} × {cond} has {len(same)} different runs with seed {seed}: {_few(same['run_id'])}; "
                "give tables that hold one of them, or --force"
            )


def scores(table: pd.DataFrame, metric: str) -> tuple[list[list[str]], list[str]]:
    """Encoder × conditioner cells of one metric, and footnotes on its holes.

    A cell is the mean over runs, with ± the standard deviation and their number if there are several; ``*`` marks the
    best, a number in brackets refers to a footnote, an empty cell was never run.
    """
    of_metric = table[table["metric"] == metric]
    better = of_metric["higher_is_better"].iloc[0]
    means = of_metric.dropna(subset="value").groupby(["encoder", "cond"])["value"].mean()
    best = None if better is None or means.empty else float(means.max() if better else means.min())
    notes: list[str] = []
    conds = _in_order(of_metric["cond"])
    body = [["encoder", *conds]]
    for encoder in _in_order(of_metric["encoder"]):
        line = [encoder]
        for cond in conds:
            here = of_metric[(of_metric["encoder"] == encoder) & (of_metric["cond"] == cond)]
            line.append(_cell(here, best, notes))
        body.append(line)
    return body, notes


def costs(table: pd.DataFrame) -> list[list[str]]:
    """What each pair takes: means over its runs."""
    runs = table.drop_duplicates("run_id")
    body = [["encoder", "cond", *_COSTS.values()]]
    for encoder in _in_order(runs["encoder"]):
        for cond in _in_order(runs["cond"]):
            here = runs[(runs["encoder"] == encoder) & (runs["cond"] == cond)]
            if not here.empty:
                body.append([encoder, cond, *(_amount(float(here[name].mean())) for name in _COSTS)])
    return body


def report(table: pd.DataFrame, metrics: Sequence[str], format: Format) -> str:
    """The whole text."""
    wanted = list(metrics) or list(dict.fromkeys(table["metric"]))
    known = set(table["metric"])
    for metric in wanted:
        if metric not in known:
            raise ZooError(unknown("metric", metric, known))
    parts = []
    for metric in wanted:
        body, notes = scores(table, metric)
        better = table.loc[table["metric"] == metric, "higher_is_better"].iloc[0]
        parts.append(_part(f"{metric} ({_BETTER[better]})", body, notes, format))
    parts.append(_part("costs", costs(table), [], format, left=(0, 1)))
    if format != "csv":
        n, protocols = sorted(set(table["n_images"])), sorted(set(table["protocol_id"]))
        parts.append(f"{', '.join(map(str, n))} images, protocol {', '.join(protocols)}")
    return "\n\n".join(parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="+", metavar="TABLE", help="CSV of result rows, or a glob of such files")
    parser.add_argument("--metric", action="append", default=[], help="only this one (may be repeated)")
    parser.add_argument("--format", choices=["terminal", "markdown", "csv"], default="terminal")
    parser.add_argument("--out", type=Path, help="write to this file instead of the terminal")
    parser.add_argument("--force", action="store_true", help="compare rows that were scored in different ways")
    given = parser.parse_args()
    if given.out and given.out.exists():
        raise ZooError(f"{given.out} exists and is not overwritten; choose another --out or delete it")
    table = load(given.tables)
    if not given.force:
        refuse_mixtures(table)
    text = report(table, given.metric, given.format)
    if given.out:
        given.out.write_text(text, encoding="utf-8")
    else:
        print(text, end="")


def _cell(here: pd.DataFrame, best: float | None, notes: list[str]) -> str:
    if here.empty:
        return ""
    values = here["value"].dropna().astype(float)
    if values.empty:
        reason = next((note for note in here["note"] if note), "no reason given")
        if reason not in notes:
            notes.append(reason)
        return f"– [{notes.index(reason) + 1}]"
    text = number(values.mean())
    if len(values) > 1:
        text += f" ± {number(values.std())} (n={len(values)})"
    return f"{text} *" if values.mean() == best else f"{text}  "


def _part(title: str, body: list[list[str]], notes: list[str], format: Format, left: Sequence[int] = (0,)) -> str:
    foot = "".join(f"\n[{i}] {note}" for i, note in enumerate(notes, 1))
    if format == "csv":
        return f"# {title}\n{render(body, format)}" + foot.replace("\n", "\n# ")
    heading = f"### {title}\n" if format == "markdown" else title
    return f"{heading}\n{render(body, format, left=left)}" + (f"\n{foot}" if foot and format == "markdown" else foot)


def _in_order(names: pd.Series) -> list[str]:
    """Sorted, with "none" first: the baseline."""
    return sorted(set(names), key=lambda name: (name != "none", name))


def _few(runs: Iterable[str]) -> str:
    named = sorted(runs)
    return ", ".join(named[:4]) + (f" and {len(named) - 4} more" if len(named) > 4 else "")


def _amount(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 or value == int(value) else number(value)


if __name__ == "__main__":
    cli.run(main)
