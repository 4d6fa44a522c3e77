"""The command that says how far coloured photos are from the truth, on painted photos."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from support.scenes import face_in
from zoo import commands
from zoo.benchmark.photos import coloring
from zoo.color.gamut import to_uint8
from zoo.faces.viewport import Viewport
from zoo.photos.colorizer import Colored, ColorizeOptions, Colorizer
from zoo.photos.photo import Photo


def painted(a: float, b: float, size: tuple[int, int] = (40, 30)) -> np.ndarray:
    """(H, W, 3) uint8 of L* 60 and those a*, b*."""
    ab = torch.tensor([a, b])[None, :, None, None] / 110
    return to_uint8(torch.full((1, 1, *size), 0.2), ab.expand(1, 2, *size))[0].numpy()


def store(folder: str, **pictures: np.ndarray) -> None:
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, rgb in pictures.items():
        Image.fromarray(rgb).save(Path(folder, f"{name}.png"))


class Painter:
    """Paints every photo in one colour, and counts them."""

    asked = 0

    @classmethod
    def load(cls, source: Any = None, *, device: str = "auto") -> Painter:
        return cls()

    def colorize_photos(self, photos: Sequence[Photo], options: ColorizeOptions) -> list[Colored]:
        type(self).asked += len(photos)
        return [Colored([painted(20, 0, photo.rgb.shape[:2])]) for photo in photos]


@pytest.fixture(autouse=True)
def painter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> type[Painter]:
    """Stands in for the model; faces are found nowhere; the working folder is an empty one with two photos."""
    Painter.asked = 0
    monkeypatch.setattr(coloring, "Colorizer", Painter)
    monkeypatch.setattr("zoo.benchmark.photos.photos.find_faces", lambda rgb: [])
    monkeypatch.chdir(tmp_path)
    store("truth", one=painted(20, 0), two=painted(0, 20))
    return Painter


def photos(*arguments: str) -> int:
    return commands.main(["--truth", "truth", *arguments], command="photos")


def means(out: str, title: str) -> list[float]:
    """The line of that title in a printed table: number of photos, then a mean for each system."""
    (line,) = (line.removeprefix(title) for line in out.splitlines() if line.startswith(title))
    return [float(cell) for cell in re.sub(r"\[.*?\]", "", line).split()]


def values(path: str) -> dict[tuple[str, str, str], float]:
    with open(path, newline="") as file:
        return {(row["photo"], row["system"], row["measure"]): float(row["value"]) for row in csv.DictReader(file)}


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert photos(*arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_ours_others_and_grey_stand_beside_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    store("perfect", one=painted(20, 0), two=painted(0, 20))
    assert photos("--outputs", "perfect=perfect", "--table", "t.csv") == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0].split() == ["photos", "ours", "perfect", "grey"]
    found = values("t.csv")
    distances = {system: [found[photo, system, "distance"] for photo in ("one", "two")] for system in ("ours", "grey")}
    assert distances["ours"] == pytest.approx([0, 20 * 2**0.5], abs=1)
    assert distances["grey"] == pytest.approx([20, 20], abs=1)
    assert found["two", "perfect", "distance"] == 0
    assert [found[photo, "ours", "farther_than_grey"] for photo in ("one", "two")] == [0, 1]
    assert means(out, "ab distance, whole") == pytest.approx([2, 14.2, 0, 20], abs=0.3)
    assert means(out, "photos farther than grey, %") == [2, 50, 0, 0]


def test_faces_are_measured_where_they_are_in_the_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    face = face_in(Viewport(0j, 20 + 0j))
    monkeypatch.setattr(face.__class__, "box", (0.0, 0.0, 20.0, 20.0), raising=False)
    picture = painted(18, 18)
    picture[20:] = painted(0, -20)[20:]  # its colour is no skin's
    picture[:, 20:] = painted(18, 18)[:, 20:]  # outside the face, and as the face
    store("truth", one=picture)
    Path("truth/two.png").unlink()
    coloured = picture.copy()
    coloured[20:, :20] = painted(0, 0)[20:, :20]
    store("other", one=coloured)
    monkeypatch.setattr("zoo.benchmark.photos.photos.find_faces", lambda rgb: [face])
    assert photos("--no-ours", "--outputs", "other=other", "--table", "t.csv") == 0
    found = values("t.csv")
    assert found["one", "other", "distance_faces"] == found["one", "other", "distance_skin"] == 0
    assert found["one", "other", "distance_elsewhere"] > 5


def test_what_is_coloured_is_kept_and_not_coloured_again(painter: type[Painter]) -> None:
    assert photos("--keep", "kept") == 0
    before = Path("kept/one.png").stat().st_mtime_ns
    Path("kept/two.png").unlink()
    assert photos("--keep", "kept") == 0
    assert painter.asked == 3
    assert Path("kept/one.png").stat().st_mtime_ns == before


@pytest.mark.parametrize("changed", ["option", "vivid", "photo", "model", "code", "not ours"])
def test_a_kept_picture_that_was_made_otherwise_is_named(
    changed: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert photos("--keep", "kept") == 0
    capsys.readouterr()
    more = []
    if changed == "option":
        more = ["--seed", "1"]
    elif changed == "vivid":
        more = ["--vivid"]
    elif changed == "photo":
        store("truth", one=painted(20, 1))
    elif changed == "model":
        Path("other.safetensors").write_bytes(b"another")
        more = ["--checkpoint", "other.safetensors"]
    elif changed == "code":
        monkeypatch.setattr(coloring, "_code", lambda: "another")
    else:
        store("kept", one=painted(20, 0))
    assert "kept/one.png was coloured otherwise" in refused(capsys, "--keep", "kept", *more)


def test_pictures_that_are_missing_superfluous_or_of_another_size_are_named(
    capsys: pytest.CaptureFixture[str], painter: type[Painter]
) -> None:
    store("other", one=painted(20, 0), three=painted(0, 0))
    assert refused(capsys, "--outputs", "x=other").endswith(
        "x: in other there is no picture of two and three of no photo"
    )
    store("sizes", one=painted(20, 0, (41, 30)), two=painted(0, 20))
    assert "another size than their photos: one (30 × 41, not 30 × 40)" in refused(capsys, "--outputs", "x=sizes")
    assert painter.asked == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--outputs", "x"], "expected NAME=DIR"),
        (["--outputs", "grey=truth"], "there is a system grey already"),
        (["--outputs", "x=truth", "x=truth"], "there is a system x already"),
        (["--outputs", "x=nowhere"], "folder nowhere does not exist"),
        (["--no-ours"], "give --outputs NAME=DIR"),
        (["--limit", "0"], "--limit must be at least 1"),
        (["--saturation", "-1"], "saturation"),
    ],
)
def test_what_cannot_work_is_one_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str], painter: type[Painter]
) -> None:
    assert said in refused(capsys, *arguments)
    assert painter.asked == 0


def test_a_model_that_is_not_there_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coloring, "Colorizer", Colorizer)
    assert "no.safetensors does not exist" in refused(capsys, "--checkpoint", "no.safetensors")


def test_two_photos_of_one_name_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    store("truth/below", one=painted(0, 0))
    assert "have the same name" in refused(capsys)


def test_photos_without_colour_are_left_out_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    store("truth", grey=painted(0, 0))
    assert photos("--table", "t.csv") == 0
    assert "1 photos without colour left out: grey" in capsys.readouterr().out
    assert {photo for photo, _, _ in values("t.csv")} == {"one", "two"}


def test_a_limit_takes_photos_from_all_over_the_folder() -> None:
    store("truth", **{f"p{i}": painted(20, 0) for i in range(8)})  # between one and two
    assert photos("--limit", "5", "--table", "t.csv") == 0
    assert {photo for photo, _, _ in values("t.csv")} == {"one", "p1", "p3", "p5", "p7"}
