"""What the files of the package import, read from their source: also inside functions, but not for type checkers."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import zoo

PACKAGE = Path(zoo.__file__).parent
FILES = {
    ".".join(("zoo", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}


@cache
def imports_of(module: str) -> frozenset[str]:
    """Modules of ``zoo``, by their files, and the outermost names of other packages."""
    tree = ast.parse(FILES[module].read_text(encoding="utf-8"))
    found = {name for node in _run(tree) for name in _named(node)}
    return frozenset(_file_of(name) if name.partition(".")[0] == "zoo" else name.partition(".")[0] for name in found)


def prints(module: str) -> bool:
    """Whether it calls `print`."""
    calls = (
        node for node in ast.walk(ast.parse(FILES[module].read_text(encoding="utf-8"))) if isinstance(node, ast.Call)
    )
    return any(isinstance(call.func, ast.Name) and call.func.id == "print" for call in calls)


def circles() -> list[list[str]]:
    """Files that import each other, round and round: each group once."""
    reach = {module: _reachable(module) for module in FILES}
    groups = {frozenset(other for other in reach[module] if module in reach[other]) for module in FILES}
    return sorted(sorted(group) for group in groups if len(group) > 1)


def _reachable(module: str) -> set[str]:
    found: set[str] = set()
    waiting = [module]
    while waiting:
        for other in imports_of(waiting.pop()):
            if other in FILES and other not in found:
                found.add(other)
                waiting.append(other)
    return found


def _run(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those below ``if TYPE_CHECKING:``."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        yield child
        yield from _run(child)


def _named(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        for alias in node.names:
            whole = f"{node.module}.{alias.name}"
            yield whole if whole in FILES else node.module


def _file_of(name: str) -> str:
    return name if name in FILES else name.rpartition(".")[0]
