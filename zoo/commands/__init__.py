"""The command line: ``facezoo COMMAND``, also as ``python -m zoo COMMAND`` and as a script of one command.

A command is a module here: ``HELP``, ``run(args) -> exit code`` and ``add_arguments(parser)``; without the last it gets
its arguments as they are, for Hydra, and may have ``flags()``, a parser of those that are its own. What it needs to
run, it imports when it runs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import zoo
from zoo.commands._parser import Parser, refuse, refuse_as_hydra
from zoo.errors import ZooError

INTERRUPTED = 130
REFUSED = 2


def main(arguments: Sequence[str] | None = None, *, command: str | None = None, prog: str = "facezoo") -> int:
    """Carry out a command: the one and only place that knows exit codes.

    Args:
        arguments: those of the process by default.
        command: the only one of this script; None: the first of ``arguments`` names it.
        prog: how the script is called, for its help.

    Returns:
        What the command says; 2 for what a user can mend, or a plug-in that fails, told in one line on stderr; 130
        after Ctrl-C. With HYDRA_FULL_ERROR=1 errors keep their tracebacks.
    """
    given = [*(sys.argv[1:] if arguments is None else arguments)]  # `list` is a command, once it was imported
    tracebacks = os.environ.get("ZOO_FULL_ERROR", os.environ.get("HYDRA_FULL_ERROR")) == "1"
    module: ModuleType | None = None
    try:
        if command is None:
            command = _chosen(given, prog)
            given, prog = given[1:], f"{prog} {command}"
        module = import_module(f"zoo.commands.{command}")
        code = module.run(_parsed(module, given, prog))
        sys.stdout.flush()
        return int(code)
    except KeyboardInterrupt:
        print(getattr(module, "INTERRUPTED", "interrupted"), file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # whoever read our output has seen enough, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (Exception, SystemExit) as error:  # argparse's own, after --help, among them
        told = None if tracebacks else _one_line(error)
        if told is None:
            raise
        print(f"error: {told}", file=sys.stderr)
        return REFUSED


def names() -> list[str]:
    """Of all commands, sorted."""
    return sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py"))


def _chosen(given: Sequence[str], prog: str) -> str:
    """The command that ``given`` begins with; else tells the help and ends the process, or raises `ZooError`."""
    if given and given[0] in names():
        return given[0]
    if given and not given[0].startswith("-"):
        refuse("command", given[0], names(), prog)
    parser = Parser(prog=prog, description="Colouring faces with diffusion models.")
    parser.add_argument("--version", action="version", version=f"facezoo {zoo.__version__}")
    choices = parser.add_subparsers(metavar="COMMAND", required=True)
    for name in names():
        choices.add_parser(name, help=import_module(f"zoo.commands.{name}").HELP)
    parser.parse_args(given)
    raise AssertionError("argparse accepts no command but those above")


def _parsed(module: ModuleType, given: list[str], prog: str) -> Any:
    if not hasattr(module, "add_arguments"):
        refuse_as_hydra(given, prog, module.flags() if hasattr(module, "flags") else None)
        return given
    parser = Parser(prog=prog)
    module.add_arguments(parser)
    return parser.parse_args(given)


def _one_line(error: BaseException) -> str | None:
    """What a user can mend, or which plug-in failed; None: neither."""
    from zoo.plugins import blame

    if isinstance(error, ZooError):
        return str(error)
    if told := blame(error):
        return told
    if isinstance(error, ModuleNotFoundError) and error.name is not None:
        return f"{error.name} is not installed here; run `pip install -e .` in the root"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return " ".join(str(error).split()) if isinstance(error, OSError) else None
