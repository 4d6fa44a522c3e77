"""A small table of results with all that lies beside one, and what can happen to it: the same for the same seed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from support.rows import row
from zoo.benchmark.tables import protocols, rows, specs, table_files

Rng = np.random.Generator
_IMAGES = 4
_ODD = (
    *("", " ", "nan", "inf", "-inf", "1e400", "9" * 400, str(2**63), str(2**64), "-1", "0", "1_000", " 12", "１２"),
    *("0x10", "1,5", '"', '""', '"a', "a\nb", "a\0b", "\ufeff", "true", "None", "=1+1", "é" * 300, "x" * 200_000),
)
_VALUES: tuple[Any, ...] = (
    *(None, True, -1, 1e308, 10**400, float("nan"), float("inf"), "", "x" * 5000, "\ud800", [], [[]], {}, {"": {}}),
    *({"a": {"b": [1, {"c": None}]}}, {"name": ["x"]}, {"psnr": "text"}, {"psnr": [1]}, {"primary": {"a": 1}}),
)


def write_damaged(folder: Path, seed: int) -> Path:
    """A table below ``folder``, damaged itself or in what lies beside it; one in 20 is whole."""
    rng = np.random.default_rng(seed)
    table = folder / "t.csv"
    write_whole(table)
    beside = (specs.beside(table), protocols.beside(table), table_files.beside(table))
    for _ in range(rng.integers(1, 3) if rng.random() > 0.05 else 0):
        path = [table, table, table, *beside][rng.integers(6)]
        if rng.random() < 0.2:
            path.write_bytes(_bytes_changed(path.read_bytes(), rng))
        elif path is table:
            path.write_bytes(_table_changed(path.read_bytes(), rng))
        elif path is beside[-1]:
            _values_changed(path, rng)
        else:
            path.write_text(_record_changed(path.read_text(errors="replace"), rng), errors="replace")
    return table


def write_whole(table: Path) -> None:
    """Two encoders × two conditionings × two seeds and a baseline, two metrics."""
    some, records, values = [], {}, []
    made = [("diffusion", encoder, cond, seed) for encoder in "ab" for cond in "cd" for seed in (0, 1)]
    for number, (method, encoder, cond, seed) in enumerate([*made, ("grey", "", "", 0)]):
        run = f"{number:012x}"
        own = {"encoder": encoder, "cond": cond, "seed": seed, "method": method}
        for metric, better in (("psnr", True), ("colorfulness", None)):
            some.append(row(run, metric=metric, value=20.0 + number, higher_is_better=better, note="größer", **own))
        spec = {"seed": seed, "encoder": {"name": encoder}, "cond": {"name": cond}, "train": {"lr": 0.001}}
        spec |= {"data": {"name": "folder"}, "sampler": {"steps": 5}, "metrics": {"psnr": {}}, "method": method}
        records[run] = {"spec": spec, "protocols": {"psnr": {"size": 16}, "colorfulness": {"size": 16}}}
        values += [(run, f"{i}.png", 20.0 + number + i / 10, f"person {i // 2}") for i in range(_IMAGES)]
    rows.write(table, some)
    specs.beside(table).write_text(json.dumps(records))
    protocols.beside(table).write_text(json.dumps({"p": {"metrics": {"psnr": {}}}}))
    found = pd.DataFrame(values, columns=["run_id", "image", "psnr", "person"])
    found.to_parquet(table_files.beside(table), index=False)


def _bytes_changed(content: bytes, rng: Rng) -> bytes:
    place, data = int(rng.integers(len(content) + 1)), bytearray(content)
    kind = rng.integers(4)
    if kind == 0:
        return content[:place]
    if kind == 1:
        return content[:place] + content[place + int(rng.integers(1, 64)) :]
    if kind == 2:
        return content[:place] + content[place : place + 40] + content[place:]
    for at in rng.integers(0, len(data), rng.integers(1, 8)) if data else ():
        data[at] ^= int(rng.integers(1, 256))
    return bytes(data)


def _table_changed(content: bytes, rng: Rng) -> bytes:
    lines = content.decode("utf-8", "replace").split("\n")
    changes: tuple[Callable[[list[str], Rng], str | bytes], ...] = (
        *(_other_encoding, _other_marks, _odd_cell, _odd_cell, _odd_cell, _column_lost, _column_twice),
        *(_row_again, _other_protocol, _odd_text),
    )
    found = changes[rng.integers(len(changes))](lines, rng)
    return found if isinstance(found, bytes) else found.encode("utf-8", "replace")


def _other_encoding(lines: list[str], rng: Rng) -> bytes:
    names = ("utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1", "utf-7", "cp037")
    return "\n".join(lines).encode(names[rng.integers(len(names))], "replace")


def _other_marks(lines: list[str], rng: Rng) -> str:
    end = str(rng.choice(["\n", "\r\n", "\r", "\n\n", "\u2028", "\v"]))
    return end.join(line.replace(",", str(rng.choice([",", ";", "\t", "|", ", "]))) for line in lines)


def _cells(lines: list[str], rng: Rng) -> tuple[int, list[str]]:
    number = int(rng.integers(len(lines)))
    return number, lines[number].split(",")


def _odd_cell(lines: list[str], rng: Rng) -> str:
    number, cells = _cells(lines, rng)
    cells[rng.integers(len(cells))] = _ODD[rng.integers(len(_ODD))]
    return "\n".join([*lines[:number], ",".join(cells), *lines[number + 1 :]])


def _column_lost(lines: list[str], rng: Rng) -> str:
    place = int(rng.integers(21))
    return "\n".join(",".join([*cells[:place], *cells[place + 1 :]]) for cells in (line.split(",") for line in lines))


def _column_twice(lines: list[str], rng: Rng) -> str:
    place = int(rng.integers(21))
    return "\n".join(",".join([*cells[: place + 1], *cells[place:]]) for cells in (line.split(",") for line in lines))


def _row_again(lines: list[str], rng: Rng) -> str:
    """A row twice, once perhaps with another cell."""
    number, cells = _cells(lines, rng)
    if rng.random() < 0.7:
        cells[rng.integers(len(cells))] = str(rng.choice(["1", "z", "", "True", "0.5"]))
    return "\n".join([*lines[:number], ",".join(cells), *lines[number:]])


def _other_protocol(lines: list[str], rng: Rng) -> str:
    number = int(rng.integers(len(lines)))
    return "\n".join([*lines[:number], lines[number].replace(",p,", ",q,"), *lines[number + 1 :]])


def _odd_text(lines: list[str], rng: Rng) -> str:
    text = "\n".join(lines)
    place = int(rng.integers(len(text) + 1))
    return text[:place] + _ODD[rng.integers(len(_ODD))] + text[place:]


def _values_changed(path: Path, rng: Rng) -> None:
    """Values per image that are of another kind, lost, or there twice."""
    try:
        values = pd.read_parquet(path)
    except Exception:  # it was damaged before
        return
    column = str(rng.choice(values.columns))
    kind = rng.integers(6)
    if kind == 0:
        values = values.drop(columns=column)
    elif kind == 1:
        values = values.assign(**{column: str(rng.choice(["text", "1"]))})
    elif kind == 2:
        values = values.assign(**{column: float(rng.choice([np.nan, np.inf, -np.inf, 1e308]))})
    elif kind == 3:
        values = pd.concat([values, values.iloc[: int(rng.integers(1, 9))]])
    elif kind == 4:
        values = values.assign(**{column: [[1, 2]] * len(values)})
    else:
        values = values.iloc[int(rng.integers(len(values) + 1)) :]
    values.to_parquet(path, index=False)


def _record_changed(text: str, rng: Rng) -> str:
    """Any value of a record replaced by one that nobody expects, or brackets without end."""
    if rng.random() < 0.1:
        return "[" * 100_000 + "]" * 100_000
    if rng.random() < 0.1:
        return '{"000000000000": {"spec": ' + '{"a": ' * 3000 + "1" + "}" * 3000 + "}}"
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    place = value
    while True:  # a walk to any depth
        keys = list(place) if isinstance(place, dict) else list(range(len(place))) if isinstance(place, list) else []
        if not keys:
            return json.dumps(_VALUES[rng.integers(len(_VALUES))])
        key = keys[rng.integers(len(keys))]
        if rng.random() < 0.3 or not isinstance(place[key], dict | list) or not place[key]:
            place[key] = _VALUES[rng.integers(len(_VALUES))]
            return json.dumps(value)
        place = place[key]
