"""facezoo cache: decoded images, features and pretrained encoders on disk."""

from __future__ import annotations

import argparse
from pathlib import Path

from zoo.commands.runs import add_choice

HELP = "list what is cached on disk, and prune it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "List what is cached on disk, or prune it: shown first, deleted with --yes. It is made again."
    add_choice(parser, superseded="of another version, or damaged")
    parser.add_argument("--cache-dir", type=Path, help="where it is ($ZOO_CACHE, or the platform's cache folder)")


def run(args: argparse.Namespace) -> int:
    from zoo.benchmark.config.spec import Machine
    from zoo.benchmark.disk.cached import cache

    args.cache_dir = args.cache_dir or Machine().cache
    cache(args)
    return 0
