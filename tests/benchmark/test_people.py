"""Who is on a photo, from the option of a run to the interval of a difference."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from support import composing
from support.small import SMALL
from zoo.benchmark.runs import experiment
from zoo.commands import main

PEOPLE, PHOTOS = 8, 5
KNOWN = "data.people='^test/p([0-9]+)_'"


composed = partial(composing.composed, *SMALL, "metrics=[psnr]", "eval.limit=null", "cache_dir=cache")


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five photos of each of eight people, as colourful as they are: some are hard to colour, whichever photo it is."""
    folder, generator = tmp_path_factory.mktemp("album"), np.random.default_rng(0)
    for split, people in (("train", 3), ("test", PEOPLE)):
        (folder / split).mkdir()
        for person in range(people):
            color = generator.integers(0, 256, 3)
            for photo in range(PHOTOS):
                pixels = np.clip(color + generator.normal(0, 6, (16, 16, 3)), 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(folder / split / f"p{person}_{photo}.png")
    return folder


@pytest.fixture
def sweep(album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Score two baselines into a table of one name; they train nothing, so their intervals are of photos alone."""
    monkeypatch.chdir(tmp_path)

    def run(name: str, *options: str) -> None:
        for method in ("grey", "mean"):
            places = [f"table={name}.csv", f"results_dir={name}"]
            experiment.run(composed(f"method={method}", "data=folder", f"data.root={album}", *places, *options))

    return run


def width(name: str, capsys: pytest.CaptureFixture[str]) -> float:
    """Of the interval of the difference of the two."""
    capsys.readouterr()
    given = [f"{name}.csv", "--runs", name, "--baseline", "method=grey", "--format", "csv"]
    assert main(given, command="compare") == 0
    (line,) = [line for line in csv.DictReader(capsys.readouterr().out.splitlines()) if line["images"] == "40"]
    return float(line["high"]) - float(line["low"])


def test_five_photos_of_each_person_say_less_than_as_many_people(
    sweep: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep("alone", "data.face_box=null")
    sweep("known", "data.face_box=null", KNOWN)
    (run_id, *_), (same, *_) = (sorted(path.name for path in Path(name).iterdir()) for name in ("alone", "known"))
    assert run_id == same  # no number depends on it
    values = pd.read_parquet(Path("known") / run_id / "per_image.parquet")
    assert list(values["person"]) == [image[6] for image in values["image"]]
    assert width("known", capsys) > 1.5 * width("alone", capsys)


def test_who_is_on_the_photos_may_be_said_of_runs_that_are_done(sweep: Any, capsys: pytest.CaptureFixture[str]) -> None:
    sweep("t", "data.face_box=null")
    before = width("t", capsys)
    sweep("t", "data.face_box=null", KNOWN)
    assert capsys.readouterr().out.count("who is on its photos is now kept beside their scores") == 2
    assert width("t", capsys) > 1.5 * before
    sweep("t", "data.face_box=null", KNOWN)
    assert "is now kept" not in capsys.readouterr().out
