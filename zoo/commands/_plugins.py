"""The option ``--plugin``, and options of a plug-in, the same for every command that takes them."""

from __future__ import annotations

import argparse
from typing import Any

from zoo.errors import ZooError


def add_plugin_option(parser: argparse.ArgumentParser) -> None:
    """``args.plugin``: what `zoo.plugins.import_plugins` is to import."""
    told = "import this first, for the names that it registers; may be repeated"
    parser.add_argument("--plugin", action="append", default=[], metavar="FILE_OR_MODULE", help=told)


def key_value(text: str) -> tuple[str, Any]:
    """A name and its value, read as YAML, of ``name=value``. Raises `ZooError` for anything else."""
    import yaml  # type: ignore[import-untyped]

    key, equals, value = text.partition("=")
    if not equals or not key.isidentifier():
        raise ZooError(f"cannot read {text!r}; options are given as key=value")
    try:
        return key, yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise ZooError(f"cannot read {text!r}: {value!r} is no YAML") from error
