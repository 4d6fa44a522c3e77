"""Options as they stand in a configuration: where they stand, what they may be, what they are by default."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from zoo.errors import ZooError, below
from zoo.registry import Registry

PRIMARY = "primary"  # in the section metrics: the one key that is no metric
# of the runner, in the section data beside those of whatever data set
OF_ANY_DATA: Mapping[str, Any] = MappingProxyType({"limit": None, "dedupe": False, "crop": None})


@contextmanager
def under(section: str, plug_ins: Registry[Any], name: str, *, building: bool = False) -> Iterator[None]:
    """Errors of the block that name options of a plug-in name them as they stand in the configuration.

    Args:
        section: where they stand.
        plug_ins: the kind of plug-in.
        name: which one it is.
        building: only errors of its constructor, since others may be raised in the block.
    """
    try:
        yield
    except ZooError as error:
        if (error.about or (None if building else plug_ins.kind,))[0] == plug_ins.kind:
            error.args = (below(section, plug_ins.options(name), str(error)),)
        raise


def check_range(name: str, value: float, interval: str) -> None:
    """Raises `ZooError` where ``value`` is outside an interval, written as in mathematics: ``"[0, 1)"``."""
    low, high = (float(end) for end in interval[1:-1].split(","))
    above = value >= low if interval[0] == "[" else value > low
    below = value <= high if interval[-1] == "]" else value < high
    if not (above and below):
        raise ZooError(f"{name} must lie in {interval}, not {value}")


def defaults(target: Callable[..., Any]) -> dict[str, Any]:
    """The parameters of a constructor that have a default → that default."""
    parameters = inspect.signature(target).parameters
    return {name: p.default for name, p in parameters.items() if p.default is not p.empty}
