"""facezoo runs: what runs left on disk."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "list what runs left on disk, and prune it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "List what runs left on disk, or prune it: shown first, deleted with --yes."
    add_choice(parser, superseded="whose settings were run again since, with other code, photos or weights")
    parser.add_argument("--results-dir", type=Path, default=Path("results/runs"), help="where they are (%(default)s)")


def add_choice(parser: argparse.ArgumentParser, *, superseded: str) -> None:
    """What `zoo.benchmark.disk.items.manage` reads."""
    add = parser.add_argument
    add("action", nargs="?", choices=["list", "prune"], default="list", help="(%(default)s)")
    add("--failed", action="store_true", help="only what failed")
    add("--superseded", action="store_true", help=f"only what is superseded: {superseded}")
    add("--older-than", type=float, metavar="DAYS", help="of that, or of all, only what was not used for so long")
    add("--yes", action="store_true", help="delete; without it prune shows what would go")


def run(args: argparse.Namespace) -> int:
    from zoo.benchmark.disk.runs import runs

    runs(args)
    return 0
