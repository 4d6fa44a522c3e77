"""facezoo speed: how fast this is, as ratios."""

from __future__ import annotations

import argparse

HELP = "measure how fast this is, as ratios in one process"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "Measure how fast this is, as ratios of things timed in turn in one process."
    add = parser.add_argument
    add("--rounds", type=int, default=5, help="how often each pair is timed in turn (default: %(default)s)")
    add("--device", default="cpu", help="cpu or cuda (default: %(default)s)")
    add("--origin-steps", type=int, default=10, help="of the origin's 350 to time; its cost is linear in them")


def run(args: argparse.Namespace) -> int:
    from zoo.benchmark.speed.speed import measure  # it brings in torch

    measure(args)
    return 0
