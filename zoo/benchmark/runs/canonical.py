"""One spelling of each value that is hashed: numbers alike where they are equal, files by what they hold."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.weights import sha256_file


def canonical(value: Any) -> Any:
    """1.0 is 1; keys are text, and sequences lists."""
    if isinstance(value, Mapping):
        return {str(key): canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [canonical(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def contents(value: Any, key: str = "", *, everywhere: bool = False) -> Any:
    """``value`` with each path of weights replaced by the sha256 of what the file holds; ``everywhere``: of any file,
    in options of a plug-in that is not built in, of which nobody knows what they mean."""
    if isinstance(value, Mapping):
        return {str(name): contents(item, str(name), everywhere=everywhere) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [contents(item, key, everywhere=everywhere) for item in value]
    if isinstance(value, str) and (key == "weights" or (everywhere and Path(value).suffix)):
        return content(value)
    return value


def content(path: str) -> Any:
    """What its file holds; ``path`` itself, where there is none."""
    file = Path(path).expanduser()
    return {"sha256": sha256_file(file)} if file.is_file() else path
