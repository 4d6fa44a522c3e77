"""facezoo photos --truth DIR: how natural coloured photos are, ours and others'."""

from __future__ import annotations

import argparse
from pathlib import Path

from zoo.errors import ZooError

HELP = "colour photos whose colours are known, and measure how far off they are"
INTERRUPTED = "interrupted: with --keep, what was coloured is not coloured again"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Colour a folder of colour photos from their lightness, and print how far the colours are from the truth, "
        "beside grey and what other systems made of the same photos."
    )
    add = parser.add_argument
    add("--truth", type=Path, required=True, metavar="DIR", help="photos in colour, with all below it")
    other = "pictures by another system, of the same names (without suffix) and sizes; may be repeated"
    add("--outputs", nargs="+", action="extend", default=[], metavar="NAME=DIR", help=other)
    add("--ours", action=argparse.BooleanOptionalAction, default=True, help="colour them (default), or only compare")
    add("--checkpoint", metavar="CKPT", help="our model (default: what comes with the package)")
    add("--seed", type=int, default=0, help="of the noise (default: %(default)s)")
    add("--vivid", action="store_true", help="one colouring as it is drawn, not the one to be trusted")
    add("--saturation", type=float, default=1.0, help="factor on the chroma (default: %(default)s)")
    add("--device", default="auto", help="auto, cpu, cuda, mps (default: %(default)s)")
    add("--limit", type=int, metavar="N", help="only N of the photos, spread over the folder")
    add("--keep", type=Path, metavar="DIR", help="keep our pictures there; those that are there are not made again")
    add("--table", type=Path, metavar="CSV", help="also write what was measured of each photo")


def run(args: argparse.Namespace) -> int:
    """Returns 0. Raises `ZooError` for folders that do not match, or a model that cannot be had."""
    if args.limit is not None and args.limit < 1:
        raise ZooError(f"--limit must be at least 1, not {args.limit}")
    if not args.ours and not args.outputs:
        raise ZooError("--no-ours leaves nothing to compare; give --outputs NAME=DIR")
    from zoo.benchmark.photos.photos import compare  # it brings in torch

    compare(args)
    return 0
