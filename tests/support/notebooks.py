"""Notebooks as files of JSON: their cells, and what running them all would run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def cells(notebook: Path, kind: str = "code") -> list[dict[str, Any]]:
    return [cell for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == kind]


def script(notebook: Path) -> str:
    """All code of it, in order, for one process: what a kernel runs, but for the magics of IPython."""
    return "\n".join("".join(cell["source"]) for cell in cells(notebook))
