"""Rows of the same photos in the sample grids of all cells: which, and as images inside the page."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from zoo.benchmark.analysis.scores import Metric
from zoo.benchmark.runs.folder import SAMPLE_GRID
from zoo.benchmark.tables import cells
from zoo.benchmark.tables.cells import Cell
from zoo.benchmark.tables.text_table import number
from zoo.errors import ZooError

_SIDE = 3  # best ones, and worst ones
_IN_EVERY_ROW = ("grey", "truth")  # methods whose colouring stands in each row anyway
SampleGrid = dict[str, np.ndarray]  # image → (2 + S, H, W, 3) uint8: grey, samples, truth


@dataclass(frozen=True)
class CellPicture:
    """One cell's colourings of one photo; ``uri``: grey, samples and truth side by side."""

    name: str
    value: str
    uri: str
    width: int
    height: int
    samples: int


@dataclass(frozen=True)
class Photo:
    """One photo in all cells; ``value``: of the metric, averaged over them."""

    image: str
    rank: str
    value: str
    cells: list[CellPicture]


@dataclass(frozen=True)
class Pictures:
    """The photos that were chosen, in each cell.

    Attributes:
        photos: from the best to the worst; empty: no photo is in all sample grids and has a value.
        among: how many there were to choose from.
        metric: by which they were chosen.
        missing: cells without pictures.
    """

    photos: list[Photo]
    among: int
    metric: Metric
    missing: list[str]


def gather(
    table: pd.DataFrame, folders: Mapping[str, Path], per_image: pd.DataFrame, metric: Metric
) -> Pictures | None:
    """The best, the median and the worst photos in each cell's run of the lowest seed that left a sample grid;
    None where there are none. Noise is the same in all runs, whatever their seed.

    Args:
        per_image: values of ``metric``, indexed by (run_id, image).
    """
    chosen, missing = _runs(table, folders)
    grids = {cell: read(folders[run] / SAMPLE_GRID) for cell, run in chosen.items()}
    if not grids:
        return None
    values = per_image[metric.name].unstack("run_id").reindex(columns=[chosen[cell] for cell in grids])  # (N, R)
    common = [image for image in next(iter(grids.values())) if all(image in found for found in grids.values())]
    means = values.reindex(common).mean(axis=1).dropna()
    ranked = list(means.sort_values(ascending=not metric.higher_is_better, kind="stable").index)
    photos = []
    for rank in ranks(len(ranked)):
        image = ranked[rank]
        shown = [_picture(cell, found[image], float(values.loc[image, chosen[cell]])) for cell, found in grids.items()]
        photos.append(Photo(image, place(rank, len(ranked)), number(means[image]), shown))
    return Pictures(photos, len(ranked), metric, list(map(str, missing)))


def ranks(n: int) -> list[int]:
    """Which of ``n`` photos in order are shown: the first three, the median and the last three."""
    chosen = {*range(min(_SIDE, n)), *range(max(0, n - _SIDE), n), (n - 1) // 2}
    return sorted(chosen & set(range(n)))


def place(rank: int, n: int) -> str:
    """``rank`` among ``n``, in words."""
    ordinal, middle = ["", "second ", "third "], (n - 1) // 2
    if rank == middle and n > 2:
        return "Median"
    return (f"{ordinal[rank]}best" if rank <= middle else f"{ordinal[n - 1 - rank]}worst").capitalize()


def read(path: Path) -> SampleGrid:
    """The sample grid of a run by image. Raises `ZooError` if the file is something else."""
    try:
        with np.load(path, allow_pickle=False) as found:
            keys, rows = found["keys"], found["sample_grid"]
        if rows.ndim != 5 or rows.shape[-1] != 3 or rows.dtype != np.uint8 or len(keys) != len(rows):
            raise ValueError(f"its images are {rows.dtype} {rows.shape}")
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ZooError(f"{path} holds no sample grid ({error}); delete it, or score the run again") from error
    return dict(zip(map(str, keys), rows))


def _runs(table: pd.DataFrame, folders: Mapping[str, Path]) -> tuple[dict[Cell, str], list[Cell]]:
    """The run of each cell that is shown, and the cells without a sample grid; both in order."""
    runs = table.drop_duplicates("run_id").sort_values("seed", kind="stable")
    groups = cells.by_cell(runs[~runs["method"].isin(_IN_EVERY_ROW)])
    left = {cell: [run for run in groups[cell]["run_id"] if (folders[run] / SAMPLE_GRID).is_file()] for cell in groups}
    order = cells.in_order(groups)
    return {cell: left[cell][0] for cell in order if left[cell]}, [cell for cell in order if not left[cell]]


def _picture(cell: Cell, row: np.ndarray, value: float) -> CellPicture:
    side_by_side = np.concatenate(list(row), axis=1)  # (H, (2 + S)·W, 3)
    height, width, _ = side_by_side.shape
    text = "" if np.isnan(value) else number(value)
    return CellPicture(str(cell), text, _uri(side_by_side), width, height, len(row) - 2)


def _uri(rgb: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "WEBP", lossless=True, quality=100, method=4)
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"
