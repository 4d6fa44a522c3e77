"""Errors that a user can mend, Hydra's among them, and how each is told in one line."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, MissingMandatoryValue, OmegaConfBaseException

from zoo.benchmark.config.plugins import GROUPS, options
from zoo.benchmark.config.quoting import shown
from zoo.errors import ZooError, unknown
from zoo.plugins import blame

MENDABLE = (ZooError, HydraException, OmegaConfBaseException, OSError)

_AMBIGUOUS = re.compile("Ambiguous value for argument '(.*)'$", re.MULTILINE)  # as Hydra tells it
_EXTRAS = {"joblib": "joblib", "submitit_slurm": "slurm", "submitit_local": "slurm", "ray": "ray"}  # of launchers


class SweepError(ZooError):
    """Not all jobs of a sweep ended well; each has told its own reason."""


class Refused(BaseException):
    """Carries an error out through Hydra, which would add a line of its own to any ordinary exception."""


@contextmanager
def refusing(*, sweep: bool) -> Iterator[None]:
    """Around one job under Hydra. In a sweep the other jobs go on after a failure, which is told at once.

    Raises:
        Refused: the job could not be done for a reason that a user can mend, or since a plug-in failed.
        SweepError: the same, of a job of a sweep.
    """
    try:
        yield
    except (Exception, SystemExit) as error:
        if os.environ.get("ZOO_FULL_ERROR") == "1" or not (isinstance(error, MENDABLE) or blame(error)):
            raise
        if not sweep:
            raise Refused(one_line(error)) from error
        tell(error)
        raise SweepError("not all jobs of the sweep ended well; see the errors above") from error


def tell(error: BaseException) -> None:
    """Say ``error`` in one line on stderr."""
    print(f"error: {one_line(error)}", file=sys.stderr)


def one_line(error: BaseException) -> str:
    """What was wrong, what was expected and what to do, in one line."""
    cause, blamed = error.__cause__, blame(error)
    if blamed:
        return blamed
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        return _missing_config(error.missing_cfg_file, error.options)
    if isinstance(error, OverrideParseException):
        return _unreadable(str(error.override))
    if ambiguous := _AMBIGUOUS.match(str(error)):
        return _several_values(ambiguous[1])
    if isinstance(error, MissingMandatoryValue):
        return f"{error.full_key} must be given: {error.full_key}=..."
    for found in (error, cause):
        if isinstance(found, ConfigKeyError | ConfigAttributeError) and "not in struct" in str(found):
            return _unknown_key(found)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    if isinstance(cause, MENDABLE) and not isinstance(error, ZooError):  # ours say their cause themselves
        return f"{_first_line(error)} ({_first_line(cause)})"
    return _first_line(error)


def _missing_config(missing: str, found: object) -> str:
    group, _, name = missing.removesuffix(".yaml").rpartition("/")
    if group == "hydra/launcher" and name in _EXTRAS:
        return f"{group}={name} is not installed; pip install -e .[{_EXTRAS[name]}]"
    known = list(found) if isinstance(found, list | tuple) else options(group)
    kind = GROUPS[group].kind if group in GROUPS else group or "configuration"
    return unknown(kind, name, known)


def _unreadable(override: str) -> str:
    if "=" not in override:
        return f"cannot read {override!r}; values are given as key=value, and in quotes where there are spaces in them"
    why = "Hydra takes brackets, commas, quotes, a second = and letters beyond ASCII for text only between quotes"
    return f"cannot read {override!r}: {why}; type {shown(override)}"


def _several_values(override: str) -> str:
    key, _, values = override.partition("=")
    means = f"give -m for a sweep over them, {key}=[{values}] for a list"
    return f"{override!r} has several values; {means}, and for a text type {shown(override)}"


def _unknown_key(error: ConfigKeyError | ConfigAttributeError) -> str:
    full_key = str(error.full_key)
    section, _, key = full_key.rpartition(".")
    parent = error.parent_node
    group = section.partition(".")[0]
    if group in GROUPS and isinstance(parent, DictConfig) and "name" in parent:
        try:
            GROUPS[group].get(str(parent["name"]))
        except ZooError as broken:  # that is why nobody knows its options
            return str(broken)
    known = [str(name) for name in parent if name != "hydra"] if isinstance(parent, DictConfig) else []
    return unknown("option", key, known, section)


def _first_line(error: BaseException) -> str:
    """The first line, or two where the first only leads in to the second."""
    told = str(error).removeprefix("Error parsing override ").removeprefix(repr(getattr(error, "override", "")))
    lines = [line.strip() for line in told.splitlines() if line.strip() and "hydra.cc" not in line]
    if isinstance(error, ZooError):
        return " ".join(lines)
    return " – ".join(lines[:2]) if lines else type(error).__name__
