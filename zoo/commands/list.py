"""facezoo list: every encoder, conditioner and whatever else can be plugged in, as it is known here."""

from __future__ import annotations

import argparse
import csv
import sys
import textwrap
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from zoo.commands._plugins import add_plugin_option
from zoo.plugins import import_plugins
from zoo.registry import REGISTRIES

HELP = "list encoders, conditioners, denoisers, samplers, metrics, data sets and whatever else can be plugged in"
KINDS = tuple(REGISTRIES)

# Columns of the tables for people: of the inventory, under the names that fit the kind.
_HEADS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "encoder": {
            "name": "encoder",
            "from": "from",
            "parameters": "params",
            "input": "input",
            "levels": "channels/stride",
            "tokens": "tokens",
            "weights": "weights",
            "license": "licence of the weights",
        },
        "conditioner": {"name": "conditioner", "from": "from", "parameters": "params", "what": ""},
        "metric": {"name": "metric", "from": "from", "weights": "weights", "what": ""},
        "dataset": {"name": "dataset", "from": "from", "needs": "needs", "what": ""},
        "method": {"name": "method", "from": "from", "trains": "trains", "seeds": "seeds", "what": ""},
        "denoiser": {
            "name": "denoiser",
            "from": "from",
            "parameters": "params",
            "levels": "channels/stride",
            "what": "",
        },
        "sampler": {"name": "sampler", "from": "from", "what": ""},
        "schedule": {"name": "schedule", "from": "from", "what": ""},
        "objective": {"name": "objective", "from": "from", "what": ""},
    }
)
_WIDTH = 120
_RIGHT = ("parameters", "input", "tokens")
_EPILOG = """\
params: with default options; of a conditioner what it adds to the default model with encoder unet.
input: side in pixels at which the encoder wants L; image: that of the image. tokens: their width.
weights: here, absent, or – where none are needed. – elsewhere: there is none, or it is not known without the weights.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "List what is built in, installed or named by --plugin. Nothing is downloaded."
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("pattern", nargs="?", default="*", help="only names that match, as in 'arc*'")
    add("--kind", choices=KINDS, help="only these")
    add_plugin_option(parser)
    add("--format", choices=("terminal", "markdown", "csv"), default="terminal", help="(default: %(default)s)")


def run(args: argparse.Namespace) -> int:
    """Print the tables. Raises `ZooError` for a plug-in that cannot be imported."""
    from zoo.conformance.inventory import COLUMNS, inventory

    import_plugins(args.plugin)
    rows = inventory(args.pattern, (args.kind,) if args.kind else KINDS)
    if args.format == "csv":
        writer = csv.DictWriter(sys.stdout, COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return 0
    found = list(rows)
    tables = [_table(kind, [row for row in found if row["kind"] == kind], args.format) for kind in KINDS]
    print("\n\n".join(table for table in tables if table) or f"nothing matches {args.pattern!r}")
    return 0


def _table(kind: str, rows: Sequence[Mapping[str, str]], format: str) -> str:
    if not rows:
        return ""
    heads = _HEADS[kind]
    cells = [list(heads.values())]
    for row in rows:
        values = {**row, list(heads)[-1]: row["what"]} if row["what"].startswith("broken: ") else row
        cells.append([values.get(key) or "–" for key in heads])
    widths = [max(len(line[i]) for line in cells) for i in range(len(heads))]
    room = max(_WIDTH - sum(widths[:-1]) - 2 * len(widths), 20)
    for line in cells:
        line[-1] = textwrap.shorten(line[-1], room, placeholder=" …")
    widths[-1] = min(widths[-1], room)
    right = [key in _RIGHT for key in heads]
    laid = [[c.rjust(w) if r else c.ljust(w) for c, w, r in zip(line, widths, right)] for line in cells]
    if format == "markdown":
        rule = ["-" * (w - 1) + ":" if r else "-" * w for w, r in zip(widths, right)]
        return "\n".join(f"| {' | '.join(line)} |" for line in [laid[0], rule, *laid[1:]])
    return "\n".join("  ".join(line).rstrip() for line in [laid[0], ["─" * w for w in widths], *laid[1:]])
