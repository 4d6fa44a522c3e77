"""facezoo report TABLE… --out PAGE: all of a table as one page."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "write one HTML page that shows tables of results and what runs left"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "Write one HTML page that shows tables of results and what runs left. It asks no network."
    add = parser.add_argument
    add("tables", nargs="+", metavar="TABLE", help="CSV of result rows, or a glob of such files")
    add("--out", type=Path, required=True, help="the page to write; it must not be there yet")
    add("--metric", action="append", default=[], help="only this one (may be repeated)")
    add("--baseline", help="show differences to a cell: encoder=unet,cond=concat, or method=grey")
    add("--pictures", action=argparse.BooleanOptionalAction, default=True, help="put photos in, or leave them out")
    add("--runs", type=Path, default=Path("results/runs"), help="where run folders are (%(default)s)")
    add("--force", action="store_true", help="show rows together that were scored in different ways")


def run(args: argparse.Namespace) -> int:
    from zoo.benchmark.report.report import report  # it brings in pandas

    report(args)
    return 0
