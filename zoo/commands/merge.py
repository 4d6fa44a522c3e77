"""facezoo merge TABLE… --out TABLE: one table out of many."""

from __future__ import annotations

import argparse
from pathlib import Path

from zoo.errors import ZooError

HELP = "make one table out of many, with what is kept beside them"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "Merge tables of results, and what is kept beside them."
    add = parser.add_argument
    add("tables", nargs="+", metavar="TABLE", help="CSV of result rows, or a glob of such files")
    add("--out", type=Path, required=True, help="the table to write; it must not exist")
    add("--runs", type=Path, default=Path("results/runs"), help="where run folders are (%(default)s)")
    add("--per-image", action="store_true", help="also write OUT.per_image.parquet")
    add("--hash-names", action="store_true", help="in it, replace the images' names by hashes")


def run(args: argparse.Namespace) -> int:
    """Returns 0. Raises `ZooError` for a table that is broken or conflicts with another."""
    if args.hash_names and not args.per_image:
        raise ZooError("--hash-names concerns the names in --per-image; give both")
    from zoo.benchmark.tables import merge, table_files  # these bring in pandas

    tables = table_files.paths(args.tables)
    print("\n".join(merge.merge(tables, args.out, args.runs, per_image=args.per_image, hash_names=args.hash_names)))
    return 0
