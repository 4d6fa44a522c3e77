"""Between the command line and Hydra: what has to be known before it composes, and its errors as one line each."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from zoo.benchmark.config import plugins, sums
from zoo.benchmark.config.mending import MENDABLE, Refused, one_line
from zoo.benchmark.config.quoting import paths_quoted
from zoo.errors import ZooError


def hydras_parser() -> argparse.ArgumentParser:
    """What takes Hydra's own options, ``--multirun`` and ``--cfg`` among them; all else are overrides."""
    from hydra._internal.utils import get_args_parser  # it has no public one

    return get_args_parser()


@contextmanager
def prepared(arguments: Sequence[str]) -> Iterator[list[str]]:
    """While it lasts, a Hydra application may be called, and finds ``arguments`` where it looks for them. They are
    yielded as it reads them.

    Raises:
        ZooError: whatever Hydra, or a job that was not one of a sweep, could not do for a reason that a user can mend.
    """
    before, argv = os.environ.get("HYDRA_FULL_ERROR", "0"), sys.argv
    os.environ.setdefault("ZOO_FULL_ERROR", before)  # what the user wanted; processes that a launcher starts see it too
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra then raises its errors instead of printing them in its own way
    arguments = paths_quoted(arguments)
    sys.argv = [argv[0], *arguments]
    try:
        plugins.import_modules(plugins.asked_for(arguments))
        plugins.store_nodes()
        sys.argv[1:] = sums.written_out(arguments)
        yield sys.argv[1:]
    except ZooError:
        raise
    except Refused as refused:
        raise ZooError(str(refused)) from refused.__cause__
    except MENDABLE as error:
        raise ZooError(one_line(error)) from error
    finally:
        os.environ["HYDRA_FULL_ERROR"], sys.argv = before, argv
