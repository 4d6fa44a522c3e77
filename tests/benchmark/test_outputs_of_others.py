"""Any system stands in the same table as ours, by the pictures that it left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.composing import composed
from support.outputs import album_of, outputs_of, painted
from support.small import SMALL
from zoo import registry
from zoo.benchmark.runs import experiment
from zoo.benchmark.tables import rows
from zoo.benchmark.tables.rows import Row
from zoo.commands import main
from zoo.errors import ZooError

PAINTED = ["data.n_train=6", "data.n_val=1", "data.n_test=3", "data.size=32", "eval.limit=null"]


def run(*overrides: str) -> list[Row]:
    experiment.run(composed(*SMALL, *PAINTED, "table=t.csv", "cache_dir=cache", *overrides))  # type: ignore[arg-type]
    return rows.read(Path("t.csv"))


def dataset() -> Any:
    return painted(3)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_outputs_are_rows_under_their_label_with_the_protocol_of_ours(capsys: pytest.CaptureFixture[str]) -> None:
    outputs_of(dataset(), Path("out"))
    run("method=grey")
    found = run("method=folder", "method.root=out", "method.label=DDColor 2")
    by_method = {(row.method, row.metric): row for row in found}
    assert set(by_method) == {
        ("grey", "psnr"),
        ("folder(DDColor 2)", "psnr"),
        ("folder(DDColor 2)", "lightness_shift"),
    }
    ours, theirs = by_method["grey", "psnr"], by_method["folder(DDColor 2)", "psnr"]
    assert ours.protocol_id == theirs.protocol_id
    assert theirs.value > ours.value + 10  # type: ignore[operator]
    assert (theirs.encoder, theirs.cond, theirs.seed, theirs.params, theirs.n_images) == ("", "", 0, 0, 3)
    assert "method=folder(DDColor 2)" in capsys.readouterr().out
    assert main(["compare", "t.csv", "--baseline", "method=grey"]) == 0
    assert "folder(DDColor 2)" in capsys.readouterr().out


def test_a_run_is_its_outputs_wherever_they_are_and_whatever_there_is_to_train_on() -> None:
    outputs_of(dataset(), Path("out"))
    outputs_of(dataset(), Path("elsewhere"), suffix=".tif")
    outputs_of(dataset(), Path("worse"), lambda picture: picture // 2 * 2)
    for root in ("out", "elsewhere"):
        run("method=folder", f"method.root={root}")
        run("method=folder", f"method.root={root}", "seed=3", "data.limit=2", "encoder=hog")
    run_ids = {row.run_id for row in run("method=folder", "method.root=worse")}
    assert (len({row.run_id for row in rows.read(Path("t.csv"))}), len(run_ids)) == (2, 2)
    text = Path("t.specs.json").read_text()
    assert "elsewhere" not in text
    assert "sha256" in json.dumps(json.loads(text))


def test_two_systems_under_one_name_are_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("one", "two"):
        outputs_of(dataset(), Path(folder), (lambda picture: picture) if folder == "one" else (lambda p: p // 2 * 2))
        run("method=folder", f"method.root={folder}", "method.label=A")
    assert main(["compare", "t.csv"]) == 2
    assert "method.root.sha256" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ([], r"method\.root must be given"),
        (["method.root=nowhere"], r"^method\.root='nowhere' is not a folder"),
        (["method.root=out", "method.label='a,b'"], r"^method\.label='a,b': expected"),
        (["method.root=out", "eval.split=val"], r"1 photo of 1 without an output"),
        (["method.root=out", "+method.lable=A"], r"unknown option 'method\.lable'; did you mean 'method\.label'"),
    ],
)
def test_what_will_not_do_is_one_line_before_anything_is_scored(overrides: list[str], said: str) -> None:
    outputs_of(dataset(), Path("out"))
    with pytest.raises(ZooError, match=said) as told:
        run("method=folder", *overrides)
    assert "\n" not in str(told.value)
    assert not Path("results").exists()


def test_the_colors_of_others_are_a_baseline() -> None:
    run("method=other")
    found = {row.method: row.value for row in run("method=truth")}
    assert found["other"] < found["truth"]  # type: ignore[operator]


def score(*options: str) -> int:
    given = ("--outputs", "out", "--truth", "album", "--image-size", "15", "--metrics", "psnr", "ssim")
    return main([*given, "--table", "t.csv", *options], command="score")


def test_pictures_alone_give_the_rows_of_a_run_over_all_photos(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_CACHE", "cache")
    album_of(dataset(), Path("album"))
    album_of(dataset(), Path("out"))
    assert score("--label", "DDColor") == 0
    found = rows.read(Path("t.csv"))
    named = {(row.method, row.metric, row.n_images) for row in found}
    assert named == {("folder(DDColor)", metric, 3) for metric in ("psnr", "ssim", "lightness_shift")}
    as_run = ["data=folder", "data.root=album", "data.test_fraction=1", "data.val_fraction=0", "metrics=[psnr,ssim]"]
    net = ["denoiser.chroma_scale=1", "image_size=15", "table=again.csv", "cache_dir=cache", "results_dir=other"]
    chosen = ["method=folder", "method.root=out", "method.label=DDColor"]
    experiment.run(composed(*SMALL, "eval.limit=null", *as_run, *net, *chosen))  # type: ignore[arg-type]
    again = rows.read(Path("again.csv"))
    assert [(row.run_id, row.protocol_id, row.value) for row in again] == [
        (row.run_id, row.protocol_id, row.value) for row in found
    ]


def test_a_face_is_looked_for_in_photos_of_which_none_is_to_train_on(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    monkeypatch.setattr("zoo.faces.box.estimate_face_box", lambda images: seen.extend(len(image) for image in images))
    album = album_of(dataset(), Path("album"))
    _ = registry.datasets.create("folder", root=album, test_fraction=1.0, val_fraction=0.0).face_box
    assert seen == [32, 32, 32]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--truth", "nowhere"], "error: data.root='nowhere' is not a folder"),
        (["--outputs", "nowhere"], "error: method.root='nowhere' is not a folder"),
        (["--metrics", "pnsr"], "did you mean 'psnr'"),
        (["--outputs", "some"], "2 photos of 3 without an output: "),
        (["--label", "a,b"], "error: method.label='a,b': expected"),
        (["--image-size", "0"], "image_size must lie in [8, inf)"),
    ],
)
def test_wrong_pictures_are_one_line(
    options: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ZOO_CACHE", "cache")
    for folder in ("album", "out", "some"):
        album_of(dataset(), Path(folder))
    for file in sorted(Path("some").iterdir())[1:]:
        file.unlink()
    assert score(*options) == 2
    told = [line for line in capfd.readouterr().err.splitlines() if line.startswith("error")]
    assert len(told) == 1
    assert said in told[0]
    assert not Path("t.csv").exists()


TINT = """
import torch
import zoo
from zoo.methods import Method
from zoo.registry import methods


@methods.register("tint")
class Tint(Method):
    learns = False

    def __init__(self, b: float = 0.2) -> None:
        self.b = b

    def sample(self, photos, features, generators):
        return torch.full_like(photos.ab, self.b)
"""


def test_options_of_anybody_s_method_are_given_by_name_and_make_another_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(registry.methods, "_classes", dict(registry.methods._classes))  # no other test sees it
    Path("tint.py").write_text(TINT)
    given = [*SMALL, *PAINTED, "plugins=[tint.py]", "table=t.csv", "cache_dir=cache", "method=tint"]
    assert main(["run", *given]) == main(["run", *given, "method.b=0.1"]) == 0
    first, second = rows.read(Path("t.csv"))
    assert (first.method, second.method) == ("tint", "tint")
    assert first.run_id != second.run_id
    assert second.value > first.value  # type: ignore[operator]
    assert main(["run", *given, "method.c=1"]) == 2
    assert "unknown option 'method.c'" in capsys.readouterr().err
