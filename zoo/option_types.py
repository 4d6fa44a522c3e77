"""Checks options against the constructor, or function, that takes them, before anything is built."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from zoo.errors import ZooError, unknown


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


def check_type(name: str, value: Any, hint: Any) -> None:
    """Raises `ZooError` where ``value``, as YAML gives it, is not what the annotation ``hint`` says."""
    if not _fits(value, hint):
        raise ZooError(f"{name} must be {_describe(hint)}, not {value!r}")


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
