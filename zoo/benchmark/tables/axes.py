"""Where runs lie on the axes of a table: by a column of its rows, an option, all options of a group, or several."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import pandas as pd

from zoo.benchmark.tables import specs
from zoo.benchmark.tables.specs import Fields, Record
from zoo.benchmark.tables.text_table import which
from zoo.errors import ZooError, unknown

ABSENT = object()


@dataclass(frozen=True)
class Axes:
    """What the lines and the columns of a table stand for: a column of its rows, the path of an option or of a group of
    options, or several of these with commas between."""

    rows: str = "encoder"
    cols: str = "cond"

    def cover(self, path: str) -> bool:
        """Whether it, or what it is part of, is an axis."""
        parts = (part for axis in (self.rows, self.cols) for part in axis.split(","))
        return any(path == part or path.startswith(f"{part}.") for part in parts)


USUAL = Axes()


def places(rows: pd.DataFrame, records: Mapping[str, Record], axis: str) -> pd.Series:
    """The place of each row on an axis, as text; "" where no run of its method has one.

    An option is ``train.lr=0.001``, a group what its runs differ in: ``times=uniform, times_mean=0``, after its name
    where it has one: ``sampler=ddim, steps=10``.

    Raises:
        ZooError: nothing has such an option, or a run has no record of its settings.
    """
    parts = [_places(rows, records, part) for part in axis.split(",")]
    joined = [", ".join(filter(None, of_row)) for of_row in zip(*parts, strict=True)]
    return pd.Series(joined, rows.index, dtype=object)


def values(rows: pd.DataFrame, records: Mapping[str, Record], key: str) -> pd.Series:
    """The value of each row, as text, for a column, an option or the name of a group: "absent" where only other runs of
    its method have one, "" where no run of it has. Raises `ZooError` as `places` does."""
    if key in rows.columns:
        return rows[key].astype(str)
    options = _options(rows, records, key)
    if key not in options and f"{key}.name" not in options:
        raise ZooError(f"{key} is several options; name one: {', '.join(sorted(_below(options, key)))}")
    found = {run: _value(record.spec, key) for run, record in records.items()}
    return _text_of(rows, {run: text(value) for run, value in found.items() if value is not ABSENT}, "absent")


def _places(rows: pd.DataFrame, records: Mapping[str, Record], axis: str) -> pd.Series:
    if axis in rows.columns:
        return rows[axis].astype(str)
    options = _options(rows, records, axis)
    if axis in options:
        found = {run: record.spec[axis] for run, record in records.items() if axis in record.spec}
        return _text_of(rows, {run: f"{axis}={text(plain(value))}" for run, value in found.items()}, f"{axis}=absent")
    here = set(rows["run_id"])
    groups = {run: _below(record.spec, axis) for run, record in records.items() if run in here}
    return _text_of(rows, _told({run: group for run, group in groups.items() if group}, axis), f"{axis}=absent")


def _options(rows: pd.DataFrame, records: Mapping[str, Record], axis: str) -> dict[str, None]:
    """All options that runs have. Raises `ZooError` if ``axis`` is none of them and no group of some."""
    options = dict.fromkeys(path for record in records.values() for path in record.spec)
    groups = {path[:end] for path in options for end, character in enumerate(path) if character == "."}
    missing = [run for run in dict.fromkeys(rows["run_id"]) if run not in records]
    if missing and (axis in options or "." in axis or axis in groups):
        raise ZooError(f"{axis}: there is no record of the settings of {which(missing)}; name their folder by --runs")
    if axis not in options and axis not in groups:
        raise ZooError(unknown("option", axis, {*options, *groups, *rows.columns}))
    return options


def _below(spec: Mapping[str, Any], group: str) -> Fields:
    """The options of a group by their paths within it."""
    return {path.removeprefix(f"{group}."): value for path, value in spec.items() if path.startswith(f"{group}.")}


def _told(groups: Mapping[str, Fields], axis: str) -> dict[str, str]:
    """By run: the name of what was chosen, and those options that differ between runs which have them, or which only
    some runs of that name have."""
    shown = [path for path in sorted({*chain(*groups.values())} - {"name"}) if _differs(path, list(groups.values()))]
    told = {}
    for run, options in groups.items():
        head = [f"{axis}={text(options['name'])}"] if "name" in options else []
        own = [_with_value(path, options[path]) for path in shown if path in options]
        told[run] = ", ".join([*head, *own]) or f"{axis}={'absent' if shown else 'the same'}"
    return told


def _with_value(path: str, value: Any) -> str:
    return path if value == {} else f"{path}={text(plain(value))}"  # a part of a sum without options is its name


def _differs(path: str, groups: list[Fields]) -> bool:
    having = [options for options in groups if path in options]
    names = {options.get("name") for options in having}
    lacking = any(path not in options and options.get("name") in names for options in groups)
    return lacking or len({json.dumps(plain(options[path]), default=str) for options in having}) > 1


def _text_of(rows: pd.DataFrame, told: Mapping[str, str], absent: str) -> pd.Series:
    has = rows["run_id"].isin(told)
    concerned = has.groupby(rows["method"]).transform("any")
    return rows["run_id"].map(lambda run: told.get(run, absent)).where(concerned, "").astype(str)


def _value(spec: Fields, key: str) -> Any:
    return plain(spec.get(key, spec.get(f"{key}.name", ABSENT)))


def text(value: Any) -> str:
    """As on a command line."""
    return "absent" if value is ABSENT else specs.shown(value)


def plain(value: Any) -> Any:
    """1.0 is 1."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return [plain(item) for item in value] if isinstance(value, list) else value
