"""Colouring that cannot be done: one line, before a model is loaded, and nothing half-written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from support.painting import Painter, color, files, photos, refused, value
from zoo.photos.colorizer import Colored


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("old.jpg", "--output", "new.png", "--hint", "3,4,red"), "'red' is no colour"),
        (("old.jpg", "--output", "new.png", "--hints", "gone.txt"), "--hints gone.txt cannot be read"),
        (("old.jpg", "other.jpg", "--output", "out", "--hint", "3,4,#c03030"), "one photo, and 2 were given"),
        ((".", "--output", "out", "--hint", "3,4,#c03030"), "one photo, and 2 were given"),
    ],
)
def test_colours_that_cannot_be_said_are_refused_before_a_model_is_read(
    painter: type[Painter], capsys: pytest.CaptureFixture[str], given: tuple[str, ...], said: str
) -> None:
    photos("old.jpg", "other.jpg")
    refused(capsys, said, *given)
    assert painter.loaded == []


def test_a_file_that_is_there_is_replaced_only_if_asked(
    painter: type[Painter], capsys: pytest.CaptureFixture[str]
) -> None:
    photos("old.png", "new.png")
    refused(capsys, "new.png exists already; give --overwrite", "old.png", "--output", "new.png")
    assert color("old.png", "--output", "new.png", "--overwrite") == 0
    assert value("new.png") == 10


def test_a_photo_may_be_replaced_by_its_own_coloring_if_asked(painter: type[Painter]) -> None:
    photos("album/a.png", "album/b.png")
    assert color("album", "--output", "album", "--overwrite") == 0
    assert (value("album/a.png"), value("album/b.png")) == (10, 10)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("nowhere.jpg --output new.png", "photo nowhere.jpg does not exist"),
        ("empty.jpg --output new.png", "empty.jpg"),
        ("notes.txt --output new.png", "notes.txt"),
        ("cut.jpg --output new.png", "cut.jpg"),
        ("hollow --output out", "no photo found in hollow; expected files like"),
        ("old.jpg --output new.png --steps 0", "steps"),
        ("old.jpg --output new.png --samples 0", "samples"),
        ("old.jpg --output new.png --guidance nan", "guidance"),
        ("old.jpg --output new.png --saturation -1", "saturation"),
        ("old.jpg --output new.png --seed -1", "seed"),
        ("old.jpg --output new.png --batch-size 0", "batch"),
        ("old.jpg --output new.png --keep-from old.jpg", "--keep-from needs --keep"),
        ("old.jpg album/a.jpg --output out/ --keep old.jpg", "--keep is for one photo"),
        ("old.jpg --output new.png --keep album/a.jpg", "album/a.jpg is 12 × 10 pixels, not 64 × 64"),
        ("old.jpg --output new.png --sampler dimm", "did you mean 'ddim'?"),
    ],
)
def test_what_cannot_work_is_one_line_before_a_model_is_loaded(
    arguments: str, said: str, painter: type[Painter], capsys: pytest.CaptureFixture[str]
) -> None:
    photos("old.jpg", size=(64, 64))
    photos("album/a.jpg")
    Path("empty.jpg").write_bytes(b"")
    Path("notes.txt").write_text("no photo")
    Path("cut.jpg").write_bytes(Path("old.jpg").read_bytes()[:-200])
    Path("hollow").mkdir()
    refused(capsys, said, *arguments.split())
    assert painter.loaded == []


@pytest.mark.parametrize(
    ("bad", "size", "options", "said"),
    [
        ("wide.png", (17_000, 1), "--format webp", "WEBP ends at 16383 pixels a side"),
        (f"{'n' * 246}.png", (12, 10), "--compare", "File name too long"),
        (f"{'n' * 248}.png", (12, 10), "--samples 2", "File name too long"),
    ],
    ids=["too large", "name too long for the comparison", "name too long for a number"],
)
def test_a_photo_that_cannot_be_written_is_named_and_the_others_are_done(
    bad: str, size: tuple[int, int], options: str, said: str, painter: type[Painter], capsys: pytest.CaptureFixture[str]
) -> None:
    photos("album/a.png", "album/z.png")
    photos(f"album/{bad}", size=size)
    for again in ("--overwrite", "--skip-existing"):
        assert color("album", "--output", "out", *options.split(), again) == 1
        error = next(line for line in capsys.readouterr().err.splitlines() if line.startswith("error: "))
        assert said in error
        assert bad.removesuffix(".png") in error
    assert {name[0] for name in files("out")} >= {"a", "z"}
    assert not [name for name in files("out") if name.endswith(".part")]


def test_a_name_that_is_no_utf_8_is_as_good_as_any(painter: type[Painter]) -> None:
    photos(os.fsdecode(b"album/caf\xe9.png"))
    assert color("album", "--output", "out") == 0
    assert files("out") == {os.fsdecode(b"caf\xe9.png")}


def test_a_full_disk_stops_all_and_leaves_no_part_of_a_file(
    painter: type[Painter], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    photos("album/a.jpg", "album/b.jpg")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert color("album", "--output", "out", "--batch-size", "1") == 2
    assert "No space left on device" in capsys.readouterr().err
    assert files("out") == set()
    assert len(painter.asked) == 1


def test_ctrl_c_ends_with_130_and_what_was_written_is_whole(
    painter: type[Painter], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    photos("album/a.jpg", "album/b.jpg")
    once = Painter.colorize_photos

    def interrupted(self: Painter, *arguments: Any, **options: Any) -> list[Colored]:
        if self.asked:
            raise KeyboardInterrupt
        return once(self, *arguments, **options)

    monkeypatch.setattr(Painter, "colorize_photos", interrupted)
    assert color("album", "--output", "out", "--batch-size", "1") == 130
    assert files("out") == {"a.png"}
    assert value("out/a.png") == 10
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.usefixtures("without_heif")
@pytest.mark.parametrize("given", [("album/a.heic", "--output", "new.png"), ("album", "--output", "out")])
def test_where_heic_is_not_read_the_line_says_what_to_install(
    painter: type[Painter], capsys: pytest.CaptureFixture[str], given: tuple[str, ...]
) -> None:
    Path("album").mkdir()
    Path("album/a.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(64))
    refused(capsys, "HEIC is not supported without pillow-heif: install it (the extra heic)", *given)
    assert painter.loaded == []
