"""Colouring many photos: folders, batches, broken ones among them, and going on where it stopped."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.painting import Painter, color, files, photos, value
from zoo.commands import colorize


def test_a_folder_is_colored_with_all_below_it_in_batches(painter: type[Painter]) -> None:
    for name in ("album/a.jpg", "album/sub/b.PNG", "album/c.webp", "album/.hidden.png", "album/.git/d.png"):
        photos(name)
    Path("album/notes.txt").write_text("no photo")
    assert color("album", "--output", "out/deep", "--batch-size", "2") == 0
    assert files("out/deep") == {"a.png", "sub/b.png", "c.png"}
    assert [n for n, _ in painter.asked] == [2, 1]
    assert len(painter.loaded) == 1


def test_large_photos_are_not_held_in_memory_together(painter: type[Painter], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(colorize, "_PIXELS_AT_ONCE", 500)
    for name in "abc":
        photos(f"album/{name}.png")  # 240 with its colouring
    assert color("album", "--output", "out") == 0
    assert [n for n, _ in painter.asked] == [2, 1]


def test_a_broken_photo_is_named_and_the_others_are_done(
    painter: type[Painter], capsys: pytest.CaptureFixture[str]
) -> None:
    photos("album/a.jpg", "album/c.jpg")
    Path("album/b.jpg").write_bytes(b"")
    Path("album/d.jpg").symlink_to("nowhere.jpg")
    assert color("album", "--output", "out") == 1
    assert files("out") == {"a.png", "c.png"}
    first, second, summary = capsys.readouterr().err.splitlines()
    assert first.startswith("error: ")
    assert "b.jpg" in first
    assert "d.jpg" in second
    assert summary == "4 photos: 2 coloured, 2 could not be done"


def test_a_folder_of_broken_photos_ends_with_2_and_no_model_is_loaded(painter: type[Painter]) -> None:
    Path("album").mkdir()
    Path("album/b.jpg").write_bytes(b"\xff\xd8 not a photo")
    assert color("album", "--output", "out") == 2
    assert not Path("out").exists()
    assert painter.loaded == []


def test_a_note_is_told_with_its_photo(painter: type[Painter], capsys: pytest.CaptureFixture[str]) -> None:
    photos("old.png", size=(9, 7))
    assert color("old.png", "--output", "new.png") == 0
    assert capsys.readouterr().err == "old.png: no face found\n"


def test_skip_existing_goes_on_where_it_stopped(painter: type[Painter], capsys: pytest.CaptureFixture[str]) -> None:
    photos("album/a.jpg", "album/b.jpg", "album/c.jpg")
    photos("out/a.png", "out/a-compare.png", "out/b.png")
    assert color("album", "--output", "out", "--compare", "--skip-existing") == 0
    assert [n for n, _ in painter.asked] == [2]
    assert [value(f"out/{name}.png") for name in "abc"] == [200, 10, 10]
    assert capsys.readouterr().err == "3 photos: 2 coloured, 1 already there\n"


def test_with_nothing_left_to_do_no_model_is_loaded(painter: type[Painter]) -> None:
    photos("old.png", "new.png")
    assert color("old.png", "--output", "new.png", "--skip-existing") == 0
    assert painter.loaded == []
