"""facezoo pretrain OPTIONS: pretrain the encoder unet on lightness alone."""

from __future__ import annotations

from collections.abc import Sequence

HELP = "pretrain the encoder unet on lightness alone; options are Hydra's: data=folder data.root=DIR"
INTERRUPTED = "\ninterrupted: start the same command again and it goes on from the last checkpoint"


def run(arguments: Sequence[str]) -> int:
    """Returns 0. Raises `ZooError` for what a user can mend."""
    from zoo.benchmark.config.command_line import prepared  # these bring in Hydra
    from zoo.benchmark.runs.tasks import pretraining

    with prepared(arguments):
        pretraining()
    return 0
