"""Text with characters that mean something to Hydra: quoted where nothing else can be meant, else how to quote it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import NoneType
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Sweep
from hydra.errors import HydraException

from zoo.benchmark.config.plugins import CONFIGS
from zoo.errors import ZooError

_PATHS = {
    "root",
    "results_dir",
    "cache_dir",
    "table",
    "weights",
    "output",
    "groups",
    "study",
}  # options, without their section
_LIST = re.compile(r"\[(.*)\]", re.DOTALL)


def paths_quoted(arguments: Iterable[str]) -> list[str]:
    """A command line with the paths in it as Hydra reads them: ``data.root=a=b`` becomes ``data.root='a=b'``.

    What Hydra can read as text, or as the values of a sweep, is left as it is, unless just that text is a file.

    Raises:
        ZooError: a value without a name.
    """
    given = list(arguments)
    for argument in given:
        if argument.startswith("="):
            raise ZooError(f"cannot read {argument!r}; values are given as key=value")
    sweeps = any(argument == "-m" or argument.startswith("--multi") for argument in given)
    return [_quoted(argument, sweeps=sweeps) if _is_override(argument) else argument for argument in given]


def quoted(text: str) -> str:
    """``text`` between quotes, so that Hydra reads the same again; ``${...}`` is filled in as ever."""
    escaped = re.sub(r"(\\*)('|\Z)", lambda at: 2 * at[1] + at[2].replace("'", r"\'"), text)
    return f"'{escaped}'"  # a backslash counts before a quote alone


def as_text(value: Any) -> str:
    """A plain value as it is typed on Hydra's command line, where it is read as the same again."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{as_text(str(key))}:{as_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(as_text, value)) + "]"
    if not isinstance(value, str):
        return repr(value)
    try:
        same = _parsed(f"x={value}") == value
    except HydraException:
        same = False
    return value if same else quoted(value)


def shown(argument: str) -> str:
    """How ``key=value`` is to be typed into a shell where its value is text."""
    key, _, value = argument.partition("=")
    line = f"{key}={quoted(value)}"
    return shlex.quote(line) if re.search(r'["$`\\!]', line) else f'"{line}"'


def _is_override(argument: str) -> bool:
    return "=" in argument and not argument.startswith("-")


def _quoted(argument: str, *, sweeps: bool) -> str:
    key, _, text = argument.partition("=")
    name = key.lstrip("+").rpartition(".")[2]
    if name == "plugins":
        return f"{key}={_plugins(text)}"
    try:
        value = _parsed(argument)
    except HydraException:
        means_text = name in _PATHS or "/" in text or _exists(text)
    else:
        if name in _PATHS:
            means_text = _exists(text) if isinstance(value, Sweep) and sweeps else not isinstance(value, str | NoneType)
        else:  # of a group Hydra takes names and lists, and ends in a traceback at others
            means_text = (CONFIGS / name).is_dir() and isinstance(value, int | float | NoneType)
    return f"{key}={quoted(text)}" if means_text else argument


def _plugins(text: str) -> str:
    """A list of modules and files, or one. Without quotes only commas divide it."""
    try:
        if not isinstance(_parsed(f"plugins={text}"), Sweep):
            return text
    except HydraException:
        pass
    inner = _LIST.fullmatch(text)
    names = inner[1].split(",") if inner else [text] if _exists(text) else text.split(",")
    return f"[{','.join(quoted(name.strip()) for name in names)}]"


def _parsed(argument: str) -> Any:
    return OverridesParser.create().parse_override(argument).value()


def _exists(text: str) -> bool:
    try:
        return Path(text).exists()
    except (OSError, ValueError):  # longer than a name can be, or with a null byte
        return False
