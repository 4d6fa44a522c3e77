"""Conditioners written as sums: ``cond=[concat,film]`` and ``cond=concat+film`` are one option of Hydra's group."""

from __future__ import annotations

import re
from collections.abc import Iterable

from hydra.core.config_store import ConfigStore

from zoo.benchmark.config.plugins import options
from zoo.errors import ZooError, unknown

_NAME = r"[\w.-]+"
_LIST = re.compile(rf"\[\s*({_NAME}(?:\s*[,+]\s*{_NAME})*)?\s*\]")
_SUM = re.compile(rf"{_NAME}(?:\+{_NAME})+")


def written_out(arguments: Iterable[str]) -> list[str]:
    """A command line that Hydra reads as it was meant: ``cond=[film,concat]`` becomes ``cond=concat+film``, in sweeps
    too, and a node of that name is stored, which holds the options of every part.

    Left alone, Hydra would merge the options of a list into one conditioner.

    Raises:
        ZooError: an empty list, a part twice, or one that there is not.
    """
    return [_written_out(argument) if argument.startswith("cond=") else argument for argument in arguments]


def _written_out(argument: str) -> str:
    def name_of(found: re.Match[str]) -> str:
        parts = re.split(r"\s*[,+]\s*", found[1]) if found[1] else []
        return _checked(parts, argument)

    argument = _LIST.sub(name_of, argument)
    if "[" in argument:
        raise ZooError(f"cannot read {argument!r}; parts are given as cond=[concat,film]")
    return _SUM.sub(lambda found: _checked(found[0].split("+"), argument), argument)


def _checked(parts: list[str], argument: str) -> str:
    """The name that ``parts`` go by, which Hydra knows from now on."""
    known = [name for name in options("cond") if "+" not in name]
    for part in parts:
        if part not in known:
            raise ZooError(unknown("conditioner", part, known))
    if not parts or len(set(parts)) < len(parts):
        raise ZooError(f"{argument}: expected different conditioners, as in cond=[concat,film]")
    name = "+".join(sorted(parts))
    if len(parts) > 1:
        defaults = [{f"/cond@parts.{part}": part} for part in sorted(parts)]
        ConfigStore.instance().store(group="cond", name=name, node={"defaults": [*defaults, "_self_"], "name": "sum"})
    return name
