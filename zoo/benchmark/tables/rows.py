"""Result rows, one per run × score, and the CSV tables that hold them: what may be done with them is all here."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.benchmark.tables import specs
from zoo.benchmark.tables.comparable import Table, arrange
from zoo.benchmark.tables.row import COLUMNS, Row
from zoo.benchmark.tables.row_reading import frame, parse, read, read_frame
from zoo.errors import ZooError
from zoo.files import remove_parts, replacing
from zoo.locks import waited_for

__all__ = ["COLUMNS", "Row", "append", "check_writable", "frame", "merge", "read", "read_frame", "write"]

_WHAT_AND_HOW = ("value", "protocol_id", "method", "encoder", "cond", "seed")


def merge(*parts: Iterable[Row], names: Sequence[str] = ()) -> list[Row]:
    """All rows, one for each (run_id, metric), in order of first appearance.

    Which one is kept does not depend on the order: one with a value before a hole, then the first as text. So the same
    run repeated, which took other seconds on another device, is no conflict.

    Args:
        names: of the parts, for the message.

    Raises:
        ZooError: two rows of one key conflict: in their scores, or in what was scored and how.
    """
    kept: dict[tuple[str, str], Row] = {}
    origin: dict[tuple[str, str], int] = {}
    for number, part in enumerate(parts):
        for row in part:
            old = kept.setdefault(row.key, row)
            if old is row:
                origin[row.key] = number
                continue
            _refuse_conflict(old, row, [names[i] for i in (origin[row.key], number)] if names else [])
            if _preference(row) < _preference(old):
                kept[row.key], origin[row.key] = row, number
    return list(kept.values())


def append(path: Path, rows: Iterable[Row], records: Mapping[str, Mapping[str, Any]] | None = None) -> str:
    """Add rows to a table, which is made if missing; rows it already has are not added again.

    The whole table is written anew beside the old one and renamed onto it, under a lock: a crash leaves the old
    one, and processes that append at the same time lose nothing.

    Args:
        records: run_id → what its numbers depend on, kept in ``T.specs.json`` beside the table ``T.csv``: ``spec`` (the
            resolved configuration in canonical form), ``protocols`` (of each metric), ``samplings``, ``commit``,
            ``device``, ``weights``.

    Returns:
        A warning for the user about a broken last line that was moved to ``<path>.broken``, or runs that do not fit
        the table; or ``""``.

    Raises:
        ZooError: the file is not such a table, or has other scores of the same run.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with waited_for(path.with_name(f".{path.name}.lock")):
        remove_parts(path.parent)
        old, fragment = parse(path) if path.exists() else ([], "")
        merged = merge(old, rows, names=[str(path), "the new rows"])
        if records:
            specs.remember(path, records)
        if fragment:
            with path.with_name(path.name + ".broken").open("a") as file:
                file.write(fragment + "\n")
        if fragment or merged != old or not path.exists() or path.stat().st_size == 0:
            write(path, merged)
    told = [f"{path}: its last line was cut off; it is now in {path.name}.broken"] if fragment else []
    return "; ".join([*told, *_misfits(path, merged, records or {})])


def check_writable(path: Path) -> None:
    """Raises `ZooError` where rows could not be appended: a folder, no right to write, a file that is no table."""
    if path.is_dir():
        raise ZooError(f"table={path} is a folder; expected a CSV file, which is made if it is missing")
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise ZooError(f"table={path}: nothing can be written in {folder}; give another place")
    if path.exists() and not os.access(path, os.R_OK | os.W_OK):
        raise ZooError(f"table={path} cannot be read and written; give another, or change its permissions")
    if path.exists():
        parse(path)


def write(path: Path, rows: Iterable[Row]) -> None:
    """Write a table atomically."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_as_text(row) for row in rows)
    with replacing(path) as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8", newline="\n")


def _refuse_conflict(old: Row, new: Row, names: Sequence[str]) -> None:
    for column in _WHAT_AND_HOW:
        one, two = getattr(old, column), getattr(new, column)
        if one != two and not (column == "value" and None in (one, two)):
            where = [f" in {name}" for name in names] or ["", ""]
            raise ZooError(
                f"run {old.run_id}, {old.metric}: {column} is {one!r}{where[0]} and {two!r}{where[1]}; one run has one "
                "result: delete the rows of one of them, or keep them in a table of their own"
            )


def _preference(row: Row) -> tuple[bool, tuple[str, ...]]:
    return row.value is None, _as_text(row)


def _as_text(row: Row) -> tuple[str, ...]:
    """Fields as they stand in the file: one line, floats to the bit, None empty."""
    return tuple("" if value is None else " ".join(str(value).split()) for value in vars(row).values())


def _misfits(path: Path, merged: Sequence[Row], records: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What keeps the runs of ``records`` from standing in one table with the others, along the usual axes."""
    if not records:
        return []
    table = frame(merged)
    known = specs.find([path], path.parent, table["run_id"].unique())
    found = Table(arrange(table, known), known, {}).misfits()
    new = [str(one) for one in found if any(run in records for runs in one.runs.values() for run in runs)]
    hint = "compare them by --where, or along another axis"
    return [f"{path}: {', '.join(records)} fits not all rows along encoder × cond: {new[0]}; {hint}"] if new else []
