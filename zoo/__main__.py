"""python -m zoo COMMAND: one module of `zoo.commands` each."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from zoo import commands
from zoo.errors import ZooError

INTERRUPTED = 130
REFUSED = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: that of the command, 2 for what a user can mend (told in one line), 130 for Ctrl-C."""
    args = _parser().parse_args(arguments)
    try:
        code = args.run(args)
        sys.stdout.flush()
        return int(code)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # whoever read our output has seen enough, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ZooError as error:
        print(f"error: {error}", file=sys.stderr)
    except ModuleNotFoundError as missing:
        print(f"error: {missing.name} is not installed here; run `pip install -e .` in the root", file=sys.stderr)
    return REFUSED


def _parser() -> argparse.ArgumentParser:
    """Knows every command; what a command needs to run, it imports when it runs."""
    parser = argparse.ArgumentParser(prog="python -m zoo", description="Colouring faces with diffusion models.")
    choices = parser.add_subparsers(metavar="COMMAND", required=True)
    for path in sorted(Path(commands.__path__[0]).glob("[!_]*.py")):
        command = import_module(f"zoo.commands.{path.stem}")
        one = choices.add_parser(path.stem, help=command.HELP)
        command.add_arguments(one)
        one.set_defaults(run=command.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
