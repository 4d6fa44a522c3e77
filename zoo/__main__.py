"""python -m zoo COMMAND: one module of `zoo.commands` each."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from zoo import commands


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code; see `zoo.commands.carry_out`."""
    args = _parser().parse_args(arguments)
    return commands.carry_out(lambda: args.run(args), args.interrupted)


def _parser() -> argparse.ArgumentParser:
    """Knows every command; what a command needs to run, it imports when it runs."""
    parser = argparse.ArgumentParser(prog="python -m zoo", description="Colouring faces with diffusion models.")
    choices = parser.add_subparsers(metavar="COMMAND", required=True)
    for path in sorted(Path(commands.__path__[0]).glob("[!_]*.py")):
        command = import_module(f"zoo.commands.{path.stem}")
        one = choices.add_parser(path.stem, help=command.HELP)
        command.add_arguments(one)
        one.set_defaults(run=command.run, interrupted=getattr(command, "INTERRUPTED", "interrupted"))
    return parser


if __name__ == "__main__":
    sys.exit(main())
