"""Tables of results as text, or as a figure."""

from __future__ import annotations

import argparse

from zoo.benchmark.analysis.study import open_study
from zoo.benchmark.analysis.text import text
from zoo.benchmark.figures import figure
from zoo.errors import ZooError
from zoo.files import remove_parts, replacing


def compare(given: argparse.Namespace) -> None:
    """Print, or write, what `zoo.commands.compare` was asked for. Raises `ZooError` as `open_study` does."""
    if given.out and given.out.exists():
        raise ZooError(f"{given.out} exists and is not overwritten; choose another --out or delete it")
    if given.effects is not None and not given.baseline:
        raise ZooError("--effects are differences to a baseline; give --baseline encoder=…,cond=… too")
    if given.figure:
        figure.check(given.figure, given.out)
    found = open_study(given)
    if given.figure:
        figure.draw(found, given.figure, given.out, given.metric)
        return
    lacking = [name for name, differences in found.differences.items() if len(differences.parts) < 3]
    if given.effects and lacking:
        raise ZooError(f"--effects: {lacking[0]} lacks pairs of {given.rows} × {given.cols}, or the baseline is none")
    told = text(found, given.format, effects=given.effects)
    if not given.out:
        print(told, end="")
        return
    remove_parts(given.out.parent)
    with replacing(given.out) as temporary:
        temporary.write_text(told, encoding="utf-8")
