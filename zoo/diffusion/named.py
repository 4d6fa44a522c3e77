"""A plug-in as one value of the configuration: its name, or ``{name: NAME, with options}``."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from zoo.errors import PlugInError, ZooError, unknown
from zoo.registry import Registry

P = TypeVar("P")
Named = str | Mapping[str, Any]
_NOTHING: Mapping[str, Any] = MappingProxyType({})


def name_of(named: Named) -> str:
    """Raises `ZooError` for what is neither."""
    name = named.get("name") if isinstance(named, Mapping) else named
    if not isinstance(name, str):
        raise ZooError(f"expected a name, or {{name: NAME, with options}}, not {named!r}")
    return name


def create(known: Registry[P], named: Named, field: str, beside: Mapping[str, Any] = _NOTHING) -> P:
    """What ``named`` says, built.

    Args:
        field: where it stands, for errors.
        beside: options that stand beside it, for those that take them.
    """
    try:
        name, options = name_of(named), _options(named)
        taken = known.options(name)
        for option in options:
            if option in beside:
                raise ZooError(f"{option} stands beside it: {option}={options[option]}")
            if option not in taken:
                raise ZooError(unknown("option", option, {*taken} - {*beside}))
        return known.create(name, **options, **{option: beside[option] for option in beside if option in taken})
    except PlugInError:
        raise
    except ZooError as error:
        raise ZooError(f"{field}: {error}") from None


def in_full(known: Registry[Any], named: Named, beside: Collection[str] = ()) -> Named:
    """With the defaults of options that were not given; a name alone, where there are none."""
    parameters = inspect.signature(known.get(name_of(named))).parameters.values()
    defaults = {p.name: p.default for p in parameters if p.default is not p.empty and p.name not in beside}
    options = defaults | _options(named)
    return {"name": name_of(named), **options} if options else name_of(named)


def _options(named: Named) -> dict[str, Any]:
    return {key: value for key, value in named.items() if key != "name"} if isinstance(named, Mapping) else {}
