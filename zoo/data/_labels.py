"""What is known of photos beside their pixels, by their names or a table: of which group the people on them are, and
who they are."""

from __future__ import annotations

import csv
import re
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from zoo.errors import ZooError


class Labels:
    """A label for each photo, by its key: `Labels.of`; None where it is not known.

    Args:
        given: the path of a ``.csv`` with columns ``file`` (the key, or its last part) and ``column``; or a regular
            expression with one group in parentheses, which is searched in the file's name; or None.
        column: what is said of a photo: ``"group"``, say.
        option: what ``given`` is called in messages.
        path: the expression is searched in the whole key, folders and all.

    Raises:
        ZooError: the table is missing or lacks a column, or the expression cannot be read.
    """

    def __init__(self, given: str | None, column: str, option: str, *, path: bool = False) -> None:
        self._given, self._column, self._option = given, column, option
        self.of: Callable[[str], str | None] = lambda key: None
        if given is not None:
            self.of = self._from_table() if given.lower().endswith(".csv") else self._from_name(given, path)

    def check(self, keys: Sequence[str]) -> None:
        """Warn when the label of few of ``keys`` is known. Raises `ZooError` when that of none is."""
        if self._given is None:
            return
        known = sum(self.of(key) is not None for key in keys)
        told = f"{self._option}={self._given!r} says the {self._column} of"
        if keys and not known:
            raise ZooError(
                f"{told} none of the {len(keys)} photos; expected names like {min(keys)!r}, relative to the folder, or "
                "their last part"
            )
        if known < len(keys) / 2:
            warnings.warn(f"{told} {known} of {len(keys)} photos only", stacklevel=2)

    def _from_table(self) -> Callable[[str], str | None]:
        path = Path(str(self._given)).expanduser()
        try:
            with path.open(newline="", encoding="utf-8-sig") as file:
                table = {row["file"]: row[self._column] for row in csv.DictReader(file)}
        except OSError as error:
            raise ZooError(f"{self._option}={str(path)!r}: {error.strerror or error}") from error
        except (KeyError, UnicodeDecodeError, csv.Error) as error:
            raise ZooError(f"{self._option}={str(path)!r}: expected a CSV with columns file,{self._column}") from error
        return lambda key: table.get(key, table.get(PurePosixPath(key).name)) or None

    def _from_name(self, expression: str, whole: bool) -> Callable[[str], str | None]:
        try:
            pattern = re.compile(expression)
        except re.error as error:
            raise ZooError(f"{self._option}={expression!r} is no regular expression ({error})") from error
        if pattern.groups != 1:
            raise ZooError(f"{self._option}={expression!r}: expected one group in parentheses, as in '^([a-z]+)_'")

        def label(key: str) -> str | None:
            found = pattern.search(key if whole else PurePosixPath(key).name)
            return found[1] if found else None

        return label
