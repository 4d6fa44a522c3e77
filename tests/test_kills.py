"""SIGKILL at any moment: nothing is lost, nothing half-written is read, and the end is that of an undisturbed run."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from support import reporting
from support.killing import Commands, said
from support.models import tiny_model
from support.sweeping import TINY, scores
from zoo import checkpoint, tensor_file
from zoo.benchmark.runs.folder import RunFolder
from zoo.benchmark.tables import rows
from zoo.cache.record_file import RowFile


@dataclass(frozen=True)
class Work:
    """A command in a folder.

    Attributes:
        prepare: puts into the folder what it needs.
        arguments: what is run there.
        made: what must be the same with kills and without, in any order of keys.
        once: the file that is there last, if the command is refused when it is there.
    """

    prepare: Callable[[Path], object]
    arguments: list[str]
    made: Callable[[Path], dict[str, Any]]
    once: str = ""


def album(folder: Path) -> None:
    (folder / "album").mkdir()
    checkpoint.save(tiny_model("unet", "film"), folder / "small.safetensors")
    for i in range(6):
        y, x = np.mgrid[:90, :120]
        Image.fromarray((120 + 40 * np.sin(x / (i + 9)) * np.sin(y / 13)).astype(np.uint8)).save(
            folder / "album" / f"{i}.png"
        )


def tables(folder: Path) -> None:
    found = reporting.make(folder)
    some = rows.read(found.table)
    rows.write(folder / "a.csv", some[: len(some) // 2])
    rows.write(folder / "b.csv", some[len(some) // 2 - 3 :])


def nothing(folder: Path) -> None:
    pass


def content_of(path: Path) -> Any:
    """All but the seconds that it took."""
    if path.suffix != ".features":
        return path.read_bytes()
    file = RowFile(path)
    rows = np.empty((len(file), file.row_bytes), np.uint8)
    file.read(np.arange(len(file)), rows)
    return {**file.meta, "seconds": None}, rows.tobytes()


def contents(pattern: str) -> Callable[[Path], dict[str, Any]]:
    def found(folder: Path) -> dict[str, Any]:
        files = {str(path.relative_to(folder)): content_of(path) for path in folder.glob(pattern) if path.is_file()}
        assert files
        return {name: content for name, content in files.items() if not Path(name).name.startswith(".")}

    return found


def of_sweep(folder: Path) -> dict[str, Any]:
    per_image = {str(path): pd.read_parquet(path).to_csv() for path in folder.glob("results/runs/*/*.parquet")}
    models: dict[str, Any] = {}
    for path in folder.glob("results/runs/*/model.safetensors"):  # whose metadata stand in any order
        models[path.parent.name] = {k: v.numpy().tobytes() for k, v in tensor_file.read_tensors(path, "").items()}
    assert models
    return (
        models
        | {name.removeprefix(str(folder)): text for name, text in per_image.items()}
        | {"scores": scores(folder / "table.csv")}
    )


def page(folder: Path) -> dict[str, Any]:
    return {"page": re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "", (folder / "page.html").read_text())}


MERGE = ["merge", "a.csv", "b.csv", "--runs", "runs", "--out", "merged.csv", "--per-image"]
REPORT = ["report", "t.csv", "--runs", "runs", "--out", "page.html", "--baseline", reporting.BASELINE]
COLORIZE = ["colorize", "--image-path", "album", "--output", "out", "--skip-existing", "--steps", "2", "--no-detect"]
WORKS = {
    "caches": Work(nothing, ["caches"], contents("cache/**/*")),
    "merge": Work(tables, MERGE, contents("merged*"), once="merged.csv"),
    "report": Work(tables, REPORT, page, once="page.html"),
    "album": Work(album, [*COLORIZE, "--compare", "--checkpoint", "small.safetensors"], contents("out/*")),
    "sweep": Work(nothing, ["run", "-m", *TINY, "cond=none,film", "seed=0,1"], of_sweep),
}


def kill_again_and_again(commands: Commands, work: Work, place: Path, kills: int) -> None:
    numbers, moments, killed = count(), random.Random(0), 0

    def ready() -> Path:
        folder = place / str(next(numbers))
        folder.mkdir()
        work.prepare(folder)
        return folder

    def finish(folder: Path) -> float:
        ended = commands.run(folder, work.arguments)
        assert ended.code == 0, said(folder)
        return ended.seconds

    finish(ready())  # which imports what it needs, for all others
    calm, folder = ready(), ready()
    seconds = finish(calm)
    while killed < kills:
        ended = commands.run(folder, work.arguments, moments.uniform(0, seconds))
        killed += ended.code is None
        nothing_is_half_written(folder)
        if ended.code == 0 or (work.once and (folder / work.once).exists()):
            assert work.made(folder) == work.made(calm)
            folder = ready()
        else:
            assert ended.code is None, said(folder)
            forget_a_merge_that_did_not_end(folder)
    finish(folder)
    assert work.made(folder) == work.made(calm)
    left = [path for path in folder.rglob(".*") if path.suffix in (".part", ".tmp", ".sorted")]
    assert left == []


def forget_a_merge_that_did_not_end(folder: Path) -> None:
    """Its message says to."""
    for path in folder.glob("merged.*"):
        path.unlink()


def nothing_is_half_written(folder: Path) -> None:
    readers: dict[str, Callable[[Path], object]] = {
        ".csv": rows.read,
        ".json": lambda path: json.loads(path.read_text()),
        ".safetensors": lambda path: tensor_file.read_tensors(path, ""),
        ".pt": lambda path: torch.load(path, weights_only=True),
        ".parquet": pd.read_parquet,
        ".png": lambda path: Image.open(path).load(),
        ".npz": lambda path: dict(np.load(path)),
        ".html": lambda path: path.read_text().rindex("</html>"),
        ".images": RowFile,
        ".features": RowFile,
    }
    for path in folder.rglob("*"):
        if path.suffix in readers and not path.name.startswith("."):
            readers[path.suffix](path)
    for path in (folder / "results" / "runs").glob("*"):
        assert not RunFolder(path.parent, path.name).done or (path / "record.json").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["caches", "merge", "album"])
def test_two_kills_lose_nothing(commands: Commands, tmp_path: Path, name: str) -> None:
    kill_again_and_again(commands, WORKS[name], tmp_path, 2)


@pytest.mark.long
@pytest.mark.parametrize("name", WORKS)
def test_ten_kills_of_each_lose_nothing(commands: Commands, tmp_path: Path, name: str) -> None:
    kill_again_and_again(commands, WORKS[name], tmp_path, 10)
