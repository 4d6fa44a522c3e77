"""Cells of a table of results: what a method and its places on the two axes have in common over seeds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import pandas as pd

from zoo.errors import ZooError
from zoo.registry import methods

COSTS = {
    "params": "parameters",
    "encoder_params": "of the encoder",
    "cond_params": "of the conditioner",
    "images_seen": "images seen",
    "train_seconds": "training s",
    "feature_seconds": "features s, once",
    "pretrain_seconds": "pretraining s, once",
    "sample_seconds_per_image": "sampling s/image",
    "peak_memory_mb": "peak MB",
}
DIFFUSION = "diffusion"


class Cell(NamedTuple):
    """What is averaged over seeds: a method, and its places on the axes of the table."""

    method: str
    row: str
    col: str

    def __str__(self) -> str:
        pair = " × ".join(place for place in (self.row, self.col) if place)
        if self.method == DIFFUSION:
            return pair
        return f"{self.method} ({pair})" if pair else self.method


CELL = list(Cell._fields)


def in_order(cells: Iterable[Cell]) -> list[Cell]:
    """Each once: the pairs, "none" first as it is the control, then the baselines."""

    def place(cell: Cell) -> tuple[object, ...]:
        return cell.method != DIFFUSION, cell.method, *in_line(cell.row), *in_line(cell.col)

    return sorted(set(cells), key=place)


def seeded(method: str) -> bool:
    """Whether a method, as tables call it (``folder(DDColor)``), depends on a seed. One that is not known here may."""
    try:
        return methods.get(method.partition("(")[0]).draws
    except ZooError:  # of a plug-in that is not here, or does not import
        return True


def of(table: pd.DataFrame) -> list[Cell]:
    """The cells of a table, in order."""
    return in_order(Cell(*values) for values in table[CELL].drop_duplicates().itertuples(index=False, name=None))


def by_cell(table: pd.DataFrame) -> dict[Cell, pd.DataFrame]:
    """The rows of each cell."""
    return {Cell(*map(str, key)): part for key, part in table.groupby(CELL, sort=False)}


def in_line(name: str) -> tuple[bool, float, str]:
    """A key to sort places on an axis: "none" first, then numbers by size, then names."""
    try:
        size = float(name.rpartition("=")[2])
    except ValueError:
        size = float("inf")
    return name != "none", size, name
