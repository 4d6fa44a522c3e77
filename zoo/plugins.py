"""Modules and files that are imported for the names that they register: plug-ins that are not installed."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path

from zoo.errors import ZooError


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
    except Exception as error:  # a plug-in may fail in any way
        raise ZooError(f"plugins: cannot import {name!r} ({type(error).__name__}: {error})") from error


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
        if isinstance(error, ZooError) or not isinstance(error, Exception):
            raise
        raise ZooError(f"plugins: cannot import {name!r} ({type(error).__name__}: {error})") from error


def _allow_imports_from(folder: Path) -> None:
    """Last, so that a file there hides no module that is installed."""
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
