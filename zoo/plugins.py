"""Modules and files that are imported for the names that they register: plug-ins that are not installed."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from types import FrameType
from typing import Any

from zoo.errors import ZooError
from zoo.registry import REGISTRIES, failure


def import_plugins(names: Iterable[str]) -> None:
    """Import each of ``names``: a file (``path/to/edges.py``) or a module, installed or in the current folder.

    The same one again does nothing.

    Raises:
        ZooError: it is not there, or raises an error of its own.
    """
    for name in names:
        if name.endswith(".py"):
            _import_file(name)
        else:
            _import_module(name)


def _import_module(name: str) -> None:
    _allow_imports_from(Path.cwd())
    try:
        importlib.import_module(name)
    except ZooError:
        raise
    except (Exception, SystemExit) as error:  # a plug-in may fail in any way
        raise ZooError(f"plugins: cannot import {name!r} ({failure(error)})") from error


def _import_file(name: str) -> None:
    path = Path(name).expanduser().resolve()
    if not path.is_file():
        raise ZooError(f"plugins: there is no file {name!r} (looked for {path})")
    module_name = f"zoo_plugin_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"  # hides no other one
    if module_name in sys.modules:
        return
    _allow_imports_from(path.parent)
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise ZooError(f"plugins: {name!r} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[module_name]
        if isinstance(error, ZooError) or not isinstance(error, Exception | SystemExit):
            raise
        raise ZooError(f"plugins: cannot import {name!r} ({failure(error)})") from error


def blame(error: BaseException) -> str | None:
    """One line about an error that arose in a plug-in that is not built in: which one, where and what; None: it did
    not, or it is a `ZooError`, which says all that by itself."""
    found = culprit(error)
    return None if found is None else f"{found[0]} ({found[1]}) failed: {failure(error)}"


def culprit(error: BaseException) -> tuple[str, str] | None:
    """Which plug-in that is not built in an error arose in, and where in which file; None as of `blame`."""
    if isinstance(error, ZooError):
        return None
    known = [(names.kind, name, cls) for names in REGISTRIES.values() for name, cls in names.foreign().items()]
    frames = [*traceback.walk_tb(error.__traceback__)]
    modules = [str(frame.f_globals.get("__name__")) for frame, _ in frames]
    ours = next((i for i, module in enumerate(modules) if module.partition(".")[0] == "zoo"), len(frames))
    for (frame, line), module in reversed([*zip(frames, modules)][ours:]):  # who called us is no plug-in at work
        owners = [(kind, name, cls) for kind, name, cls in known if _within(module, cls.__module__)]
        if owners:
            # of several in one file, the one that was at work
            kind, name, _ = next((owner for owner in owners if _at_work(owner[2], frame)), owners[0])
            return f"{kind} {name!r}", f"{frame.f_code.co_filename}, line {line}"
    return None


def _at_work(plugin: Any, frame: FrameType) -> bool:
    if isinstance(plugin, type):
        return isinstance(frame.f_locals.get("self"), plugin)
    return getattr(plugin, "__code__", None) is frame.f_code


def _within(module: str, plugin: str) -> bool:
    """Whether ``module`` is the plug-in's own, or one of its package."""
    return module == plugin or ("." in plugin and module.partition(".")[0] == plugin.partition(".")[0])


def _allow_imports_from(folder: Path) -> None:
    """Last, so that a file there hides no module that is installed."""
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
