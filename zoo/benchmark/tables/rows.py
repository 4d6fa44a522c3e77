"""Result rows, one per run × score, and the CSV tables that hold them."""

from __future__ import annotations

import csv
import io
import math
import os
import re
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv as arrow_csv

from zoo.benchmark.tables import specs
from zoo.benchmark.tables.comparable import Table, arrange
from zoo.errors import ZooError
from zoo.files import remove_parts, replacing
from zoo.locks import waited_for


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
        method: how colours come about: ``diffusion`` by the pair, or a baseline. Those that train nothing have neither
            encoder nor cond.
        feature_seconds, pretrain_seconds: of computing cached features, and of pretraining the encoder, before
            training; once for all runs that share them, each of which says the same. None: not known.
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
    method: str = "diffusion"
    feature_seconds: float | None = None
    pretrain_seconds: float | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.run_id, self.metric


COLUMNS = [field.name for field in fields(Row)]
_WHAT_AND_HOW = ("value", "protocol_id", "method", "encoder", "cond", "seed")
_HEADERS = (COLUMNS, COLUMNS[:-2], COLUMNS[:-3])  # tables from before these costs, or baselines, were told


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
        old, fragment = _parse(path) if path.exists() else ([], "")
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
        _parse(path)


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
        raise ZooError(f"table {path} {'is a folder' if path.is_dir() else 'does not exist'}; expected a CSV file")
    rows, fragment = _parse(path)
    if fragment:
        raise ZooError(
            f"{path}: its last line was cut off ({fragment[:40]!r}…); delete it, or append to mend the table"
        )
    return rows


def frame(rows: Iterable[Row]) -> pd.DataFrame:
    """Rows as a table of pandas, where a hole is NaN."""
    table = pd.DataFrame([vars(row) for row in rows], columns=COLUMNS)
    costs = {"feature_seconds": float, "pretrain_seconds": float}
    return table.astype({"value": float, "higher_is_better": object, **costs})


def read_frame(path: Path) -> pd.DataFrame:
    """``frame(read(path))``, twenty times as fast for a table that is as `write` leaves it.

    Raises:
        ZooError: as `read` does.
    """
    try:
        found = arrow_csv.read_csv(path, parse_options=_PARSE, convert_options=_CONVERT)
        header = found.column_names
    except (OSError, pa.ArrowInvalid, UnicodeDecodeError):
        return frame(read(path))
    if header not in _HEADERS or not _ends_with_newline(path) or not _complete(found) or _is_odd(path, len(found)):
        return frame(read(path))
    table = found.to_pandas().astype({"higher_is_better": object})
    older = {"method": "diffusion", "feature_seconds": math.nan, "pretrain_seconds": math.nan}
    return table.assign(**{name: value for name, value in older.items() if name not in table})


def _complete(table: pa.Table) -> bool:
    """Whether only what may be empty is, and all numbers are finite."""
    required = [column for name, column in zip(table.column_names, table.columns) if name not in _MAY_BE_EMPTY]
    numbers = [column.drop_null().to_numpy() for column in table.columns if pa.types.is_floating(column.type)]
    if any(column.null_count for column in required) or not all(map(_plain_id, table["run_id"].unique().to_pylist())):
        return False
    return all(np.isfinite(some).all() for some in numbers)


def _plain_id(run_id: str) -> bool:
    """Whether it names a folder below that of the runs, and no other place."""
    return Path(run_id).name == run_id and len(run_id) <= _LONGEST


def _is_odd(path: Path, count: int) -> bool:
    """Whether there are not ``count`` lines below the header, or Arrow would read a cell that `read` refuses."""
    content = path.read_bytes()
    return content.count(b"\n") != count + 1 or _LENIENT.search(content) is not None


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() == b"\n"


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


def _parse(path: Path) -> tuple[list[Row], str]:
    """The rows, and a last line that was cut off, if there is one."""
    text = _decoded(path)
    if not text:
        return [], ""
    *lines, last = text.split("\n")
    fragment = ""
    if last:  # no newline at the end: an editor's habit if the line is whole, otherwise a crash
        whole = not lines or len(next(_cells(path, [last]))) == len(next(_cells(path, lines[:1]), []))
        lines, fragment = ([*lines, last], "") if whole else (lines, last)
    header = next(_cells(path, lines[:1]), None)
    if header not in _HEADERS:
        hint = next((f"; it is separated by {mark!r}: save it with commas" for mark in ";\t" if mark in lines[0]), "")
        raise ZooError(f"{path} is not a table of results: its first line should be {','.join(COLUMNS[:5])},…{hint}")
    return [_row(path, number, header, cells) for number, cells in enumerate(_cells(path, lines[1:], 2), 2)], fragment


def _cells(path: Path, lines: Sequence[str], first: int = 1) -> Iterator[list[str]]:
    """Each line by itself: `write` puts no cell on several, and a stray quote would swallow rows."""
    for number, line in enumerate(lines, first):
        try:
            yield next(csv.reader([line], strict=True), [])
        except csv.Error as error:
            raise ZooError(f"{path}, line {number}: {error}") from error


def _decoded(path: Path) -> str:
    """The text, without the mark that some programs put before UTF-8."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ZooError(f"{path} is not UTF-8 (byte {error.start}); save it as CSV in UTF-8") from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


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


def _row(path: Path, number: int, header: list[str], cells: list[str]) -> Row:
    if len(cells) != len(header):
        raise ZooError(f"{path}, line {number}: {len(cells)} fields, expected {len(header)}")
    try:
        row = Row(**{name: _value(cell, _TYPES[name]) for name, cell in zip(header, cells)})
        if not _plain_id(row.run_id):
            raise ValueError(f"{row.run_id!r} is no name of a run")
        return row
    except ValueError as error:
        raise ZooError(f"{path}, line {number}: {str(error)[:_LONGEST]}") from error


def _value(cell: str, kind: Any) -> Any:
    if isinstance(kind, types.UnionType):
        return _value(cell, get_args(kind)[0]) if cell else None
    if kind is bool:
        if cell not in ("True", "False"):
            raise ValueError(f"expected True or False, not {cell!r}")
        return cell == "True"
    if kind is float and not math.isfinite(float(cell)):
        raise ValueError(f"expected a finite number, not {cell!r}")
    if kind is int and not -(2**63) <= int(cell) < 2**63:
        raise ValueError(f"{cell} is too large")
    return kind(cell)


_LONGEST = 200  # characters of a run's name, and of what is wrong with a cell
_TYPES = get_type_hints(Row)
_MAY_BE_EMPTY = [name for name, kind in _TYPES.items() if isinstance(kind, types.UnionType)]
_ARROW = {str: pa.string(), int: pa.int64(), float: pa.float64(), float | None: pa.float64(), bool | None: pa.bool_()}
_LENIENT = re.compile(rb'[,\n]\s*"?-?0[xX]|[^\n]{100000}|[^,\n]"[^,\r\n"]')  # hexadecimal, endless, stray quotes
_PARSE = arrow_csv.ParseOptions(ignore_empty_lines=False)
_CONVERT = arrow_csv.ConvertOptions(
    column_types={name: _ARROW[kind] for name, kind in _TYPES.items()},
    null_values=[""],
    true_values=["True"],
    false_values=["False"],
    strings_can_be_null=False,
)
