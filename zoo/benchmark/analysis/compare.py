"""Tables of results as text, or as a figure."""

from __future__ import annotations

import argparse
import sys

from zoo.benchmark.analysis.given import completed
from zoo.benchmark.analysis.study import open_study
from zoo.benchmark.analysis.text import remarks, text
from zoo.benchmark.analysis.tidy import tidy
from zoo.benchmark.figures import figure
from zoo.errors import ZooError
from zoo.files import remove_parts, replacing


def compare(given: argparse.Namespace) -> None:
    """Print, or write, what `zoo.commands.compare` was asked for. Raises `ZooError` as `open_study` does."""
    given = completed(given)
    if given.out and given.out.exists():
        raise ZooError(f"{given.out} exists and is not overwritten; choose another --out or delete it")
    if given.effects is not None and not given.baseline:
        raise ZooError("--effects are differences to a baseline; give --baseline encoder=…,cond=… too")
    if given.figure:
        figure.check(given.figure, given.out)
    if given.layout != "matrix" and given.format == "csv":
        raise ZooError(f"--layout {given.layout}: a CSV has one row a cell and metric; leave it out")
    found = open_study(given)
    if given.figure:
        figure.draw(found, given.figure, given.out, given.metric)
        return
    lacking = [name for name, differences in found.differences.items() if len(differences.parts) < 3]
    if given.effects and lacking:
        raise ZooError(f"--effects: {lacking[0]} lacks pairs of {given.rows} × {given.cols}, or the baseline is none")
    if given.format == "csv":
        told = tidy(found, effects=given.effects is not False)
        for line in remarks(found):  # for which it has no place
            print(f"note: {line}", file=sys.stderr)
    else:
        told = text(found, given.format, effects=given.effects, layout=given.layout)
    if not given.out:
        print(told, end="")
        return
    remove_parts(given.out.parent)
    with replacing(given.out) as temporary:
        temporary.write_text(told, encoding="utf-8")
