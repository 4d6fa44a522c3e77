"""facezoo status: where sweeps stand."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "tell where sweeps stand"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "Tell where sweeps stand, and how long they will take."
    add = parser.add_argument
    add("sweep", nargs="?", help="id of a sweep; default: the last one begun; all: every one")
    add("--results-dir", type=Path, default=Path("results/runs"), help="folder of run folders (%(default)s)")
    add("--json", action="store_true", help="for programs")


def run(args: argparse.Namespace) -> int:
    from zoo.benchmark.sweeps.status import status

    status(args)
    return 0
