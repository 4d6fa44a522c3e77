"""Checks the options of a class against its constructor, before anything is built."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from zoo.errors import ZooError, below, unknown
from zoo.registry import Registry

PRIMARY = "primary"  # in the section metrics: the one key that is no metric
# of the runner, in the section data beside those of whatever data set
OF_ANY_DATA: Mapping[str, Any] = MappingProxyType({"limit": None, "dedupe": False, "crop": None})


def check_options(
    section: str, target: Callable[..., Any], options: Mapping[str, Any], *, given: Iterable[str] = ()
) -> None:
    """Raises `ZooError` where ``target(**options)`` has an unknown, missing or wrongly typed option.

    Args:
        section: where the options stand in the configuration, e.g. ``"encoder"``.
        target: a class or function with annotated parameters; what is not annotated is not checked.
        given: parameters that the caller fills in, which are no options.
    """
    parameters = dict(inspect.signature(target).parameters)
    variadic = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    known = {
        name: p
        for name, p in parameters.items()
        if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD) and name not in given
    }
    hints = _hints(target)
    for name, value in options.items():
        if name not in known and not variadic:
            raise ZooError(unknown("option", name, known, section))
        check_type(f"{section}.{name}", value, hints.get(name, Any))
    for name, parameter in known.items():
        if parameter.default is parameter.empty and name not in options:
            raise ZooError(f"{section}.{name} must be given: {section}.{name}=...")


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


def check_type(name: str, value: Any, hint: Any) -> None:
    """Raises `ZooError` where ``value``, as YAML gives it, is not what the annotation ``hint`` says."""
    if not _fits(value, hint):
        raise ZooError(f"{name} must be {_describe(hint)}, not {value!r}")


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


def _hints(target: Callable[..., Any]) -> dict[str, Any]:
    function = target.__init__ if inspect.isclass(target) else target
    try:
        return get_type_hints(function)
    except NameError:  # a name that its module imports for type checkers only
        return {}


def _fits(value: Any, hint: Any) -> bool:
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return any(_fits(value, arg) for arg in args)
    if origin is Literal:
        return value in args
    if hint is type(None):
        return value is None
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if hint in (str, bool):
        return isinstance(value, hint)
    if hint is Path:
        return isinstance(value, str | Path)
    if inspect.isclass(origin) and issubclass(origin, Sequence):
        return isinstance(value, list | tuple) and all(_fits(item, args[0]) for item in value)
    return True


def _describe(hint: Any) -> str:
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(_describe(arg) for arg in args)
    if origin is Literal:
        return " or ".join(repr(arg) for arg in args)
    if inspect.isclass(origin) and issubclass(origin, Sequence):
        return f"a list of {_describe(args[0])}"
    names = {int: "an integer", float: "a number", str: "text", bool: "true or false", type(None): "null"}
    return names.get(hint, getattr(hint, "__name__", str(hint)))
