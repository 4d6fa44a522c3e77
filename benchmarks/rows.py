"""Result rows, one per run × score, and the CSV tables that hold them."""

from __future__ import annotations

import csv
import io
import os
import types
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pandas as pd

from zoo.errors import ZooError
from zoo.files import replacing

try:
    import fcntl
except ImportError:  # Windows: no lock; each write is atomic all the same
    fcntl = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Row:
    """One score of one run.

    Attributes:
        value: None is a hole, and ``note`` says why.
        higher_is_better: None where neither is.
        n_images: that were scored.
        params, encoder_params, cond_params: numbers of parameters.
        train_seconds: of training alone, over all sittings.
        images_seen: in training, repetitions counted.
        peak_memory_mb: of the process, or of the GPU where there is one.
        weights_sha: of the encoder's pretrained weights; empty: it has none.
    """

    run_id: str
    encoder: str
    cond: str
    seed: int
    metric: str
    value: float | None
    higher_is_better: bool | None
    n_images: int
    protocol_id: str
    params: int
    encoder_params: int
    cond_params: int
    train_seconds: float
    images_seen: int
    sample_seconds_per_image: float
    peak_memory_mb: float
    device: str
    git_sha: str
    weights_sha: str
    note: str = ""

    @property
    def key(self) -> tuple[str, str]:
        return self.run_id, self.metric


COLUMNS = [field.name for field in fields(Row)]


def merge(*parts: Iterable[Row]) -> list[Row]:
    """All rows, one for each (run_id, metric), in order of first appearance.

    Which one is kept does not depend on the order: one with a value before a hole, then the first as text.
    """
    kept: dict[tuple[str, str], Row] = {}
    for part in parts:
        for row in part:
            kept[row.key] = min(kept.get(row.key, row), row, key=lambda r: (r.value is None, _as_text(r)))
    return list(kept.values())


def append(path: Path, rows: Iterable[Row]) -> str:
    """Add rows to a table, which is made if missing; rows it already has are not added again.

    The whole table is written anew beside the old one and renamed onto it, under a lock: a crash leaves the old
    one, and processes that append at the same time lose nothing.

    Returns:
        A warning for the user about a broken last line that was moved to ``<path>.broken``, or ``""``.

    Raises:
        ZooError: the file is not such a table.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path):
        old, fragment = _parse(path)
        merged = merge(old, rows)
        if fragment:
            with path.with_name(path.name + ".broken").open("a") as file:
                file.write(fragment + "\n")
        if fragment or merged != old or path.stat().st_size == 0:
            write(path, merged)
    return f"{path}: its last line was cut off; it is now in {path.name}.broken" if fragment else ""


def write(path: Path, rows: Iterable[Row]) -> None:
    """Write a table atomically."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_as_text(row) for row in rows)
    with replacing(path) as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8", newline="\n")


def read(path: Path) -> list[Row]:
    """The rows of a table.

    Raises:
        ZooError: it does not exist, is not such a table, or its last line was cut off.
    """
    if not path.is_file():
        raise ZooError(f"table {path} does not exist")
    rows, fragment = _parse(path)
    if fragment:
        raise ZooError(
            f"{path}: its last line was cut off ({fragment[:40]!r}…); delete it, or append to mend the table"
        )
    return rows


def frame(rows: Iterable[Row]) -> pd.DataFrame:
    """Rows as a table of pandas."""
    return pd.DataFrame([asdict(row) for row in rows], columns=COLUMNS)


def _as_text(row: Row) -> tuple[str, ...]:
    """Fields as they stand in the file: one line, floats to the bit, None empty."""
    return tuple("" if value is None else " ".join(str(value).split()) for value in vars(row).values())


def _parse(path: Path) -> tuple[list[Row], str]:
    """The rows, and a last line that was cut off, if there is one."""
    text = path.read_text(encoding="utf-8")
    if not text:
        return [], ""
    *lines, last = text.split("\n")
    fragment = ""
    if last:  # no newline at the end: an editor's habit if the line is whole, otherwise a crash
        whole = len(next(csv.reader([last]))) == len(COLUMNS)
        lines, fragment = ([*lines, last], "") if whole else (lines, last)
    if not lines or next(csv.reader([lines[0]]), None) != COLUMNS:
        raise ZooError(f"{path} is not a table of results: its first line should be {','.join(COLUMNS[:5])},…")
    return [_row(path, number, cells) for number, cells in enumerate(csv.reader(lines[1:]), 2)], fragment


def _row(path: Path, number: int, cells: list[str]) -> Row:
    if len(cells) != len(COLUMNS):
        raise ZooError(f"{path}, line {number}: {len(cells)} fields, expected {len(COLUMNS)}")
    try:
        return Row(**{name: _value(cell, _TYPES[name]) for name, cell in zip(COLUMNS, cells)})
    except ValueError as error:
        raise ZooError(f"{path}, line {number}: {error}") from error


def _value(cell: str, kind: Any) -> Any:
    if isinstance(kind, types.UnionType):
        return _value(cell, get_args(kind)[0]) if cell else None
    if kind is bool:
        if cell not in ("True", "False"):
            raise ValueError(f"expected True or False, not {cell!r}")
        return cell == "True"
    return kind(cell)


_TYPES = get_type_hints(Row)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the table for this process alone. A lock holds for a file, not for a name: if the table was replaced
    while we waited, we wait for the new one."""
    while True:
        with path.open("a") as file:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX)
            if path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat()):
                yield
                return
