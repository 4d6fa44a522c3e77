"""facezoo speed: how fast this is, as ratios."""

from __future__ import annotations

import argparse

from zoo.errors import ZooError

HELP = "measure how fast this is, as ratios in one process"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "Measure how fast this is, as ratios of things timed in turn in one process."
    add = parser.add_argument
    add("--rounds", type=int, default=5, help="how often each pair is timed in turn (default: %(default)s)")
    add("--device", default="cpu", help="cpu or cuda (default: %(default)s)")
    add("--origin-steps", type=int, default=10, help="of the origin's 350 to time; its cost is linear in them")


def run(args: argparse.Namespace) -> int:
    """Returns 0. Raises `ZooError` for a device that is not here, or nothing to time."""
    if args.rounds < 1 or args.origin_steps < 1:
        raise ZooError("--rounds and --origin-steps must be at least 1")
    from zoo.benchmark.speed.speed import measure  # these bring in torch
    from zoo.devices import pick_device

    args.device = pick_device(args.device)
    measure(args)
    return 0
