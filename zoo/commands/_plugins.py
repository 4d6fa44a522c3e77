"""The option ``--plugin``, the same for every command that takes it."""

from __future__ import annotations

import argparse


def add_plugin_option(parser: argparse.ArgumentParser) -> None:
    """``args.plugin``: what `zoo.plugins.import_plugins` is to import."""
    told = "import this first, for the names that it registers; may be repeated"
    parser.add_argument("--plugin", action="append", default=[], metavar="FILE_OR_MODULE", help=told)
