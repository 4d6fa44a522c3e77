"""The commands of ``python -m zoo``, a module each: ``HELP``, ``add_arguments(parser)``, ``run(args) -> exit code``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from types import ModuleType

from zoo.errors import ZooError

INTERRUPTED = 130
REFUSED = 2


def script(command: ModuleType, prog: str, arguments: Sequence[str] | None = None) -> int:
    """Be a script of one command. Returns the exit code."""
    parser = argparse.ArgumentParser(prog=prog)
    command.add_arguments(parser)
    args = parser.parse_args(arguments)
    return carry_out(lambda: command.run(args), getattr(command, "INTERRUPTED", "interrupted"))


def carry_out(work: Callable[[], int], interrupted: str = "interrupted") -> int:
    """The exit code: that of ``work``, 2 for what a user can mend (told in one line), 130 for Ctrl-C."""
    try:
        code = work()
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print(interrupted, file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # whoever read our output has seen enough, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ZooError as error:
        print(f"error: {error}", file=sys.stderr)
    except ModuleNotFoundError as missing:
        print(f"error: {missing.name} is not installed here; run `pip install -e .` in the root", file=sys.stderr)
    return REFUSED
