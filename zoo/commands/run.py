"""facezoo run OPTIONS: train, sample and score an encoder × conditioner pair; with -m all those of a sweep."""

from __future__ import annotations

from collections.abc import Sequence

HELP = "train, sample and score a pair, or a sweep of them; options are Hydra's: encoder=unet cond=xattn"
INTERRUPTED = "\ninterrupted: start the same command again and it goes on from the last checkpoint"


def run(arguments: Sequence[str]) -> int:
    """Returns 0. Raises `ZooError` for what a user can mend, and where cells of a sweep are not done."""
    from zoo.benchmark.config.command_line import prepared  # these bring in Hydra
    from zoo.benchmark.runs.tasks import benchmark
    from zoo.benchmark.sweeps.sweep import seen_through

    with prepared(arguments), seen_through(benchmark):
        benchmark()
    return 0
