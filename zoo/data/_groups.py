"""Which group of people a photo shows one of, by its file name or a table."""

from __future__ import annotations

import csv
import re
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from zoo.errors import ZooError

GroupOf = Callable[[str], str | None]


def group_reader(groups: str | None) -> GroupOf:
    """A function from a key to its group, or None where it is not known.

    Args:
        groups: the path of a ``.csv`` with columns ``file`` (the key, or its last part) and ``group``; or a regular
            expression with one group in parentheses, which is searched in the file's name; or None.

    Raises:
        ZooError: the table is missing or lacks a column, or the expression cannot be read.
    """
    if groups is None:
        return lambda key: None
    return _from_table(Path(groups).expanduser()) if groups.lower().endswith(".csv") else _from_name(groups)


def check_groups(groups: str, group_of: GroupOf, keys: Sequence[str]) -> None:
    """Warn when few of ``keys`` are in a group. Raises `ZooError` when none is."""
    known = sum(group_of(key) is not None for key in keys)
    if keys and not known:
        raise ZooError(
            f"data.groups={groups!r} says the group of none of the {len(keys)} photos; expected names like "
            f"{min(keys)!r}, relative to data.root, or their last part"
        )
    if known < len(keys) / 2:
        warnings.warn(f"data.groups={groups!r} says the group of {known} of {len(keys)} photos only", stacklevel=2)


def _from_table(path: Path) -> GroupOf:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            table = {row["file"]: row["group"] for row in csv.DictReader(file)}
    except OSError as error:
        raise ZooError(f"data.groups={str(path)!r}: {error.strerror or error}") from error
    except (KeyError, UnicodeDecodeError, csv.Error) as error:
        raise ZooError(f"data.groups={str(path)!r}: expected a CSV with columns file,group") from error
    return lambda key: table.get(key, table.get(PurePosixPath(key).name)) or None


def _from_name(expression: str) -> GroupOf:
    try:
        pattern = re.compile(expression)
    except re.error as error:
        raise ZooError(f"data.groups={expression!r} is no regular expression ({error})") from error
    if pattern.groups != 1:
        raise ZooError(f"data.groups={expression!r}: expected one group in parentheses, as in '^(dark|light)_'")

    def group(key: str) -> str | None:
        found = pattern.search(PurePosixPath(key).name)
        return found[1] if found else None

    return group
