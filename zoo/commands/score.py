"""facezoo score --outputs DIR --truth DIR --table T.csv: any system's pictures against the truth, as rows."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "score the pictures that any system made of photos: rows as those of a run with method=folder"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Score the pictures that any system made of photos. It is the run method=folder of data=folder with all photos "
        "as test split: the same metrics, protocols and rows. With train/ and test/ in DIR, test/ is scored."
    )
    add = parser.add_argument
    add("--outputs", type=Path, required=True, metavar="DIR", help="its pictures, each named as its photo; any suffix")
    add("--truth", type=Path, required=True, metavar="DIR", help="the photos in colour")
    add("--table", type=Path, required=True, metavar="T.csv", help="where the rows go; made if missing")
    add(
        "--metrics",
        nargs="+",
        default=[],
        metavar="NAME",
        help="of facezoo list; default: those of run",
    )
    add("--image-size", type=int, default=64, metavar="N", help="side in pixels at which is scored (%(default)s)")
    add("--label", metavar="NAME", help="what the system is called in tables")
    add("--runs", type=Path, default=Path("results/runs"), help="where the folder of the run goes (%(default)s)")
    add("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (%(default)s)")


def run(args: argparse.Namespace) -> int:
    from zoo.benchmark.runs.outputs import options_of  # it brings in Hydra
    from zoo.commands.run import run as run_benchmark

    given = (args.outputs, args.truth, args.table, args.runs)
    return run_benchmark(options_of(*given, args.metrics, args.image_size, args.label, args.device))
