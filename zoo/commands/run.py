"""facezoo run OPTIONS: train, sample and score an encoder × conditioner pair; with -m all those of a sweep."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from zoo.commands._parser import Parser

HELP = "train, sample and score a pair, or a sweep of them; options are Hydra's: encoder=unet cond=xattn"
INTERRUPTED = "\ninterrupted: start the same command again and it goes on from the last checkpoint"


def flags() -> argparse.ArgumentParser:
    """Those that are not Hydra's."""
    parser = Parser(prog="facezoo run", add_help=False, allow_abbrev=False)
    parser.add_argument("--fail-fast", action="store_true", help="of a sweep: start no other cell once one has failed")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="a block or cell of +study=FILE")
    return parser


def run(arguments: Sequence[str]) -> int:
    """Returns 0. Raises `ZooError` for what a user can mend, and where cells of a sweep are not done."""
    from zoo.benchmark.config.command_line import prepared  # these bring in Hydra
    from zoo.benchmark.runs.tasks import benchmark
    from zoo.benchmark.sweeps import asking

    own, overrides = flags().parse_known_args(arguments)
    if own.fail_fast:
        overrides.append("fail_fast=true")
    study = asking.study_of(overrides)
    with prepared([*asking.machine_of(study), *overrides]) as given:
        if asking.for_a_sweep(given):
            from zoo.benchmark.sweeps.sweep import sweep

            with sweep(asking.asked(given, study, own.only), benchmark.__wrapped__) as launch:
                for job in launch():
                    _ = job.return_value  # raises what was raised there
        else:
            asking.resolve_choices()
            benchmark()
    return 0
