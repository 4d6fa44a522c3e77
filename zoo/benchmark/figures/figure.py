"""A study as one figure in a file."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from zoo.benchmark.analysis.study import Study
from zoo.errors import ZooError
from zoo.files import remove_parts, replacing

KINDS = ("matrix", "differences", "tradeoff", "budget")
SUFFIXES = (".pdf", ".png", ".svg")
_STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "pdf.fonttype": 42,  # letters stay letters
    "svg.fonttype": "none",
    "svg.hashsalt": "zoo",  # the same figure is the same file
}
_UNDATED: dict[str, dict[str, Any]] = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}, ".png": {}}


def check(kind: str, out: Path | None) -> None:
    """Raises `ZooError` for a file of no kind that can be drawn, or without matplotlib."""
    if out is None or out.suffix.lower() not in SUFFIXES:
        raise ZooError(f"--figure {kind} is drawn into a file: give --out FILE.pdf, .png or .svg")
    try:
        import_module("matplotlib")
    except ModuleNotFoundError as error:
        raise ZooError("--figure needs matplotlib, which is not installed: pip install matplotlib") from error


def draw(study: Study, kind: str, out: Path, wanted: Sequence[str]) -> None:
    """Draw one of `KINDS` into ``out``.

    Args:
        wanted: metrics that were asked for, the first of them first.

    Raises:
        ZooError: the study has nothing of that kind to show.
    """
    import matplotlib

    with matplotlib.rc_context(_STYLE):
        figure = import_module(f"zoo.benchmark.figures.{kind}").figure(study, wanted)
        suffix = out.suffix.lower()
        remove_parts(out.parent)
        with replacing(out) as temporary:
            drawn: dict[str, Any] = {
                "format": suffix[1:],
                "metadata": _UNDATED[suffix],
                "bbox_inches": "tight",
                "dpi": 200,
            }
            figure.savefig(temporary, **drawn)
