"""Tables of results as files have them: each row, or what is wrong with which line."""

from __future__ import annotations

import csv
import math
import os
import re
import types
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv as arrow_csv

from zoo.benchmark.tables.row import COLUMNS, Row
from zoo.errors import ZooError

_HEADERS = [COLUMNS[: len(COLUMNS) - n] for n in (0, 2, 4, 5)]  # tables from before steps, costs, baselines were told
_SINCE = ("feature_seconds", "pretrain_seconds", "steps_run", "kept_step")  # numbers that older tables lack


def read(path: Path) -> list[Row]:
    """The rows of a table.

    Raises:
        ZooError: it does not exist, is not such a table, or its last line was cut off.
    """
    if not path.is_file():
        raise ZooError(f"table {path} {'is a folder' if path.is_dir() else 'does not exist'}; expected a CSV file")
    rows, fragment = parse(path)
    if fragment:
        raise ZooError(
            f"{path}: its last line was cut off ({fragment[:40]!r}…); delete it, or append to mend the table"
        )
    return rows


def frame(rows: Iterable[Row]) -> pd.DataFrame:
    """Rows as a table of pandas, where a hole is NaN."""
    table = pd.DataFrame([vars(row) for row in rows], columns=COLUMNS)
    return table.astype({"value": float, "higher_is_better": object, **dict.fromkeys(_SINCE, float)})


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
    older = {"method": "diffusion", **dict.fromkeys(_SINCE, math.nan)}
    table = table.assign(**{name: value for name, value in older.items() if name not in table})
    return table.astype(dict.fromkeys(_SINCE, float))


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


def parse(path: Path) -> tuple[list[Row], str]:
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
_ARROW = {
    str: pa.string(),
    int: pa.int64(),
    int | None: pa.int64(),
    float: pa.float64(),
    float | None: pa.float64(),
    bool | None: pa.bool_(),
}
_LENIENT = re.compile(rb'[,\n]\s*"?-?0[xX]|[^\n]{100000}|[^,\n]"[^,\r\n"]')  # hexadecimal, endless, stray quotes
_PARSE = arrow_csv.ParseOptions(ignore_empty_lines=False)
_CONVERT = arrow_csv.ConvertOptions(
    column_types={name: _ARROW[kind] for name, kind in _TYPES.items()},
    null_values=[""],
    true_values=["True"],
    false_values=["False"],
    strings_can_be_null=False,
)
