"""Which cells a command asks for: the product of its options, or those of a study in a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser

from zoo.benchmark.config import choices, sums
from zoo.benchmark.config.choices import key_of, replaced
from zoo.benchmark.sweeps.ledger import of_machine
from zoo.benchmark.sweeps.study_file import StudyFile
from zoo.errors import ZooError

Expand = Callable[[Sequence[str]], list[list[str]]]  # overrides of which some have several values → their product

_NAMED = 8  # values in a message
_NOTHING = object()


@dataclass(frozen=True)
class Asked:
    """What a command line asks for.

    Attributes:
        options: those that say what cells are.
        machine: those that say where and on what they run.
        study: a file that says more of them.
        only: names of its blocks and cells; empty: all.
    """

    options: tuple[str, ...]
    machine: tuple[str, ...]
    study: StudyFile | None = None
    only: tuple[str, ...] = ()


def cells_of(given: Asked, expand: Expand, compose: choices.Compose) -> list[list[str]]:
    """The options of each cell, once each.

    Raises:
        ZooError: an option of a choice that no cell makes, or a value that no cell of the study has.
    """
    if given.study is None:
        return choices.resolved(expand(given.options), compose)
    cells = [
        sums.written_out(o for o in cell.options if not of_machine(o))
        for cell in given.study.cells
        if not given.only or set(given.only) & set(cell.names)
    ]
    said = {key_of(option) for cell in cells for option in cell}
    whole, added = not given.only, []
    for option in given.options:
        if option.startswith("++") and key_of(option) in said:
            added.append(option.removeprefix("++"))
        elif key_of(option) in said:
            cells, whole = _having(option, cells, given.study.path, expand), False
        else:
            added.append(option)
    found = [replaced(cell, options) for cell in cells for options in expand(added)]
    return choices.resolved(found, compose, all_made=whole)


def _having(option: str, cells: list[list[str]], path: Path, expand: Expand) -> list[list[str]]:
    """Those of ``cells`` that say a value of ``option``."""
    key = key_of(option)
    wanted = [_value(text) for (text,) in expand([option])]
    said = {text: _value(text) for cell in cells for text in cell if key_of(text) == key}
    if not any(value in wanted for value in said.values()):
        known = ", ".join(list(said)[:_NAMED]) + (", …" if len(said) > _NAMED else "")
        raise ZooError(f"no cell of {path} has {option}; they have {known}; for all cells to have it, give ++{option}")
    return [cell for cell in cells if any(said.get(text, _NOTHING) in wanted for text in cell)]


def _value(override: str) -> Any:
    return OverridesParser.create().parse_override(override).value()
