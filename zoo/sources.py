"""The source of a class or function that is not built in: whoever edits a plug-in has another plug-in."""

from __future__ import annotations

import ast
import hashlib
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def source_sha(cls: Any) -> str:
    """sha256, in hex, over the source that ``cls`` comes from, wherever it lies: all Python files of its package, or
    its file and those beside it that it imports, one through the other. In a notebook that of the class
    (or function) alone."""
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    if file is None or not Path(file).is_file():
        return hashlib.sha256(_text_of(cls).encode()).hexdigest()
    top = _package(Path(file), cls.__module__)
    found = top.rglob("*.py") if top else _imported(Path(file))
    root = top or Path(file).parent
    digest = hashlib.sha256()
    for name, path in sorted((path.relative_to(root).as_posix(), path) for path in found):
        digest.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\0".encode())
    return digest.hexdigest()


def _text_of(cls: Any) -> str:
    try:
        return inspect.getsource(cls)
    except (OSError, TypeError):  # typed into an interpreter: nothing tells it from another of its name
        return f"{cls.__module__}.{cls.__qualname__}"


def _package(file: Path, module: str) -> Path | None:
    """The folder of the outermost package that a module is in; None: it is a file by itself."""
    depth = module.count(".") + (file.name == "__init__.py")
    folder = file.parents[depth - 1] if depth else None
    return folder if folder is not None and (folder / "__init__.py").is_file() else None


def _imported(file: Path) -> set[Path]:
    """``file`` and the files beside it that it imports, also through one another."""
    found, waiting = {file}, [file]
    while waiting:
        for other in _beside(waiting.pop(), file.parent):
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found


def _beside(file: Path, folder: Path) -> Iterator[Path]:
    try:
        tree = ast.parse(file.read_bytes())
    except SyntaxError:  # then nothing imports it either
        return
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            at = folder / name.replace(".", "/")
            yield from (path for path in (at.with_name(f"{at.name}.py"), at / "__init__.py") if path.is_file())
