"""A mixture of folders in a run: what its parts know of their photos reaches the run's records."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from omegaconf import OmegaConf
from PIL import Image

from support import composing
from support.ids import ids
from support.pictures import picture
from support.small import SMALL
from zoo.benchmark.config.options import OF_ANY_DATA
from zoo.benchmark.config.plugins import CONFIGS
from zoo.benchmark.runs import experiment
from zoo.benchmark.tables import rows

composed = partial(
    composing.composed, *SMALL, "data=mix", "method=grey", "eval.limit=null", "cache_dir=cache", "results_dir=runs"
)


@pytest.fixture
def albums(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two of them; a picture of the second to train on is one of the first to score."""
    monkeypatch.chdir(tmp_path)
    for album, split, numbers in (
        ("one", "train", (0, 1)),
        ("one", "test", (2, 3)),
        ("two", "train", (4, 2)),
        ("two", "test", (5, 6)),
    ):
        (tmp_path / album / split).mkdir(parents=True, exist_ok=True)
        for number in numbers:
            group, quality = ("dark", "light")[number % 2], 90 if split == "test" else 50
            picture(number, 64).save(tmp_path / album / split / f"{group}_p{number // 2}_{number}.jpg", quality=quality)
    return tmp_path


def parts(**options: str) -> str:
    known = ", ".join(f"{key}: '{value}'" for key, value in options.items())
    own = {name: ", ".join(filter(None, (f"root: {name}", "face_box: null", known))) for name in ("one", "two")}
    return f"data.parts={{one: {{{own['one']}}}, two: {{{own['two']}}}}}"


def the_run(root: Path) -> Path:
    (folder,) = (root / "runs").iterdir()
    return folder


def test_a_picture_that_two_parts_share_is_found_and_left_out_where_that_is_asked(
    albums: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment.run(composed("method=mean", parts()))
    manifest = json.loads((the_run(albums) / "manifest.json").read_text())
    assert manifest["shared_pictures"] == {"count": 1, "pairs": [["one/test/dark_p1_2.jpg", "two/train/dark_p1_2.jpg"]]}
    told = "1 of 4 test photos show the same picture as one to train on: 'one/test/dark_p1_2.jpg'"
    assert told in capsys.readouterr().out
    opened = experiment.Run.open(composed("method=mean", parts(), "data.dedupe=true"))
    assert opened.photos.shared == ()
    assert [key for key, _ in opened.photos.images["train"].near] == ["two/train/dark_p1_2.jpg"]


@pytest.mark.parametrize(("weight", "same"), [(1, True), (2, False)])
def test_the_weight_of_a_part_tells_trainings_apart_and_no_protocols(weight: float, same: bool) -> None:
    found = [
        ids(composing.plain("data=mix", f"data.parts={{one: {{root: one{given}}}, two: {{root: two}}}}"))
        for given in ("", f", weight: {weight}")
    ]
    assert [one == other for one, other in zip(*found, strict=True)] == [same, same, True]


@pytest.mark.parametrize("name", sorted(file.stem for file in (CONFIGS / "data").glob("*.yaml")))
def test_every_data_set_takes_what_is_said_of_any(name: str) -> None:
    file = OmegaConf.load(CONFIGS / "data" / f"{name}.yaml")
    assert {key: file[key] for key in OF_ANY_DATA} == OF_ANY_DATA


def test_who_is_on_the_photos_of_the_parts_stands_beside_their_scores(albums: Path) -> None:
    experiment.run(composed(parts(people="_(p[0-9]+)_")))
    values = pd.read_parquet(the_run(albums) / "per_image.parquet").set_index("image")["person"]
    assert dict(values) == {  # nobody knows whether p1 of the one is p1 of the other
        "one/test/dark_p1_2.jpg": "one/p1",
        "one/test/light_p1_3.jpg": "one/p1",
        "two/test/dark_p3_6.jpg": "two/p3",
        "two/test/light_p2_5.jpg": "two/p2",
    }


def test_groups_of_the_parts_are_told_apart_in_the_rows(albums: Path) -> None:
    for file in albums.rglob("*.jpg"):  # skin, a little different in each
        color = np.array([200, 150, 130]) + len(file.stem) + int(file.stem[-1])
        Image.fromarray(np.full((64, 64, 3), color, np.uint8)).save(file)
    experiment.run(composed(parts(groups="^([a-z]+)_"), "metrics=[skin_tone]"))
    found = {row.metric: row.value for row in rows.read(the_run(albums) / "rows.csv")}
    assert found["skin_b_abs_diff"] == pytest.approx(
        (found["skin_b_abs_diff[dark]"] + found["skin_b_abs_diff[light]"]) / 2, rel=1e-4
    )
