"""facezoo compare TABLE…: scores, costs and differences."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "show tables of results: scores, costs and, to a baseline, differences"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "Show tables of results: scores, costs and, to a baseline, differences."
    add_study(parser)
    add = parser.add_argument
    add("--effects", action=argparse.BooleanOptionalAction, help="main effects; by default where no pair is missing")
    add("--format", choices=["terminal", "markdown", "csv", "latex"], default="terminal")
    drawn = "a heat map, intervals, distances of sets against paired ones, or a score against what it took"
    kinds = ["matrix", "differences", "tradeoff", "budget"]
    add("--figure", choices=kinds, help=f"draw {drawn} into --out FILE.pdf, .png or .svg")
    layouts = "a table of pairs for each metric, or one with a line a pair and a column a metric (%(default)s)"
    add("--layout", choices=["matrix", "metrics"], default="matrix", help=layouts)
    add("--out", type=Path, help="write to this file instead of the terminal")


def add_study(parser: argparse.ArgumentParser) -> None:
    """What `zoo.benchmark.analysis.study.open_study` reads."""
    add = parser.add_argument
    add("tables", nargs="*", metavar="TABLE", help="CSV of result rows, or a glob of such files")
    told = "of facezoo run +study=FILE: its cells alone, with what it says of comparing; TABLE: the one beside it"
    add("--study", type=Path, metavar="FILE", help=told)
    add("--only", metavar="NAME", help="of a study, this block or cell")
    add(
        "--rows",
        metavar="OPTION",
        help="the axis of the lines: an option as train.lr, a group as diffusion, or several, a,b (encoder)",
    )
    add("--cols", metavar="OPTION", help="the axis of the columns, in the same way (cond)")
    where = "only runs with this option, as train.lr=0.001 or run_id=…; of several of one key any will do"
    add("--where", action="append", default=[], metavar="KEY=VALUE", help=where)
    add("--metric", action="append", default=[], help="only this one (may be repeated)")
    add("--baseline", help="the cell to compare with: encoder=unet,cond=concat, or method=grey")
    add("--runs", type=Path, default=Path("results/runs"), help="where run folders are (%(default)s)")


def run(args: argparse.Namespace) -> int:
    from zoo.benchmark.analysis.compare import compare  # it brings in pandas

    compare(args)
    return 0
