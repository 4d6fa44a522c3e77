"""facezoo report TABLE… --out PAGE: all of a table as one page."""

from __future__ import annotations

import argparse
from pathlib import Path

from zoo.commands.compare import add_study

HELP = "write one HTML page that shows tables of results and what runs left"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "Write one HTML page that shows tables of results and what runs left. It asks no network."
    add_study(parser)
    add = parser.add_argument
    add("--out", type=Path, required=True, help="the page to write; it must not be there yet")
    add("--pictures", action=argparse.BooleanOptionalAction, default=True, help="put photos in, or leave them out")


def run(args: argparse.Namespace) -> int:
    from zoo.benchmark.report.report import report  # it brings in pandas

    report(args)
    return 0
