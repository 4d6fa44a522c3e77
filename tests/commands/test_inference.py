"""Colouring from the command line: what is written where, what is refused, and how it ends."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import inference
import zoo.photos.colorizer
import zoo.photos.photo
from support.models import tiny_model
from zoo import checkpoint
from zoo.commands import colorize
from zoo.photos.colorizer import Colored, ColorizeOptions
from zoo.photos.photo import Photo

SCRIPT = Path(inference.__file__)


class Painter:
    """Colours every photo in one colour: 10·(k + 1) for sample k. Remembers what it was asked."""

    loaded: list[tuple[Any, ...]]
    asked: list[tuple[int, ColorizeOptions]]

    @classmethod
    def load(cls, source: Any = None, *, device: str = "auto", encoder: Any = None) -> Painter:
        cls.loaded.append((source, device, encoder))
        return cls()

    def colorize_photos(
        self, photos: Sequence[Photo], options: ColorizeOptions, *, on_step: Callable | None = None
    ) -> list[Colored]:
        self.asked.append((len(photos), options))
        for step in range(1, options.steps + 1):
            if on_step:
                on_step(step, [np.full((8, 8, 3), 20 * step, np.uint8) for _ in photos])
        return [self._colored(photo, options.samples) for photo in photos]

    @staticmethod
    def _colored(photo: Photo, samples: int) -> Colored:
        colorings = [np.full_like(photo.rgb, 10 * (k + 1)) for k in range(samples)]
        note = "no face found" if photo.rgb.shape[0] == 7 else ""
        return Colored(samples=colorings, faces=[], spread=None, note=note)


@pytest.fixture
def painter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> type[Painter]:
    """Stands in for the model; the working folder is an empty one."""
    Painter.loaded, Painter.asked = [], []
    monkeypatch.setattr(zoo.photos.colorizer, "Colorizer", Painter)
    monkeypatch.chdir(tmp_path)
    return Painter


def photos(*paths: str, size: tuple[int, int] = (12, 10), rgb: tuple[int, int, int] = (200, 120, 90)) -> None:
    """Image files of ``size`` (W, H)."""
    for path in map(Path, paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, rgb).save(path)


def color(*arguments: str) -> int:
    return inference.main(["--image-path", *arguments])


def files(folder: str = ".") -> set[str]:
    return {path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file()}


def value(path: str) -> int:
    """The red of a picture's first pixel."""
    with Image.open(path) as image:
        return int(np.asarray(image.convert("RGB"))[0, 0, 0])


def refused(capsys: pytest.CaptureFixture[str], said: str, *arguments: str) -> None:
    """Exit code 2, one line that says ``said``, and nothing written."""
    before = {name: Path(name).read_bytes() for name in files()}
    assert color(*arguments) == 2
    told = capsys.readouterr()
    assert told.err.startswith("error: ")
    assert said in told.err
    assert len(told.err.splitlines()) == 1
    assert {name: Path(name).read_bytes() for name in files()} == before


def test_colours_are_said_on_the_command_line_and_in_a_file(painter: type[Painter]) -> None:
    photos("old.jpg")
    Path("colours.txt").write_text("0.25,0.75,#5a8a60\n")
    given = ("--hint", "3,4,#c03030", "--hint", "0.5,0.5,#3060c0", "--hints", "colours.txt")
    assert color("old.jpg", "--output", "new.png", *given) == 0
    (_, options), *_ = painter.asked
    assert [str(hint) for hint in options.hints] == ["3,4,#c03030", "0.5,0.5,#3060c0", "0.25,0.75,#5a8a60"]


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


def test_one_photo_becomes_one_file_by_the_bundled_model(painter: type[Painter]) -> None:
    photos("old.jpg")
    assert color("old.jpg", "--output", "new.png") == 0
    assert files() == {"old.jpg", "new.png"}
    assert value("new.png") == 10
    assert painter.loaded == [(None, "auto", None)]


def test_every_option_reaches_the_model(painter: type[Painter]) -> None:
    photos("old.jpg")
    options = (
        "--steps 3 --sampler ddpm --guidance 2 --seed 4 --samples 2 --vivid --saturation 0.5 --no-detect --batch-size 5"
    )
    given = f"--checkpoint a.safetensors --device cpu --encoder-weights b.onnx {options}"
    assert color("old.jpg", "--output", "new.png", *given.split()) == 0
    assert painter.loaded == [("a.safetensors", "cpu", {"weights": "b.onnx"})]
    expected = ColorizeOptions(
        samples=2, vivid=True, sampler="ddpm", steps=3, guidance=2.0, seed=4, saturation=0.5, detect=False, batch_size=5
    )
    assert painter.asked == [(1, expected)]


def test_without_options_the_library_s_defaults_are_used(painter: type[Painter]) -> None:
    photos("old.jpg")
    assert color("old.jpg", "--output", "new.png") == 0
    assert painter.asked == [(1, ColorizeOptions())]


def test_samples_are_numbered_and_shown_on_a_sheet(painter: type[Painter]) -> None:
    photos("old.jpg")
    assert color("old.jpg", "--output", "new.png", "--samples", "3") == 0
    assert files() == {"old.jpg", "new-1.png", "new-2.png", "new-3.png", "new-samples.png"}
    assert [value(f"new-{k}.png") for k in (1, 2, 3)] == [10, 20, 30]


@pytest.mark.parametrize(("has_color", "columns"), [(True, 3), (False, 2)])
def test_the_comparison_shows_the_truth_where_there_is_one(
    has_color: bool, columns: int, painter: type[Painter]
) -> None:
    photos("old.png", size=(100, 100), rgb=(200, 120, 90) if has_color else (128, 128, 128))
    assert color("old.png", "--output", "new.png", "--compare") == 0
    with Image.open("new-compare.png") as image:
        assert image.width == columns * 100 + (columns - 1) * 2
        shown = np.asarray(image)
    grey, colored = shown[-1, 0], shown[-1, 102]
    assert grey.min() == grey.max() > 100
    assert colored.tolist() == [10, 10, 10]
    if has_color:
        assert shown[-1, 204].tolist() == [200, 120, 90]


def test_the_animation_goes_from_grey_over_each_step_to_the_result(painter: type[Painter]) -> None:
    photos("old.png")
    assert color("old.png", "--output", "new.png", "--gif", "--steps", "4") == 0
    with Image.open("new.gif") as image:
        assert image.size == (8, 8)
        shown = []
        for frame in range(image.n_frames):
            image.seek(frame)
            shown.append(int(np.asarray(image.convert("RGB"))[0, 0, 0]))
    assert shown[0] > 100
    assert shown[1:] == [20, 40, 60, 80, 10]


def test_what_a_mask_keeps_has_the_colors_it_had(painter: type[Painter]) -> None:
    photos("old.png", "red.png", rgb=(200, 60, 60))
    mask = np.zeros((10, 12), np.uint8)
    mask[:, :6] = 255
    Image.fromarray(mask).save("mask.png")
    assert color("old.png", "--output", "new.png", "--keep", "mask.png", "--keep-from", "red.png") == 0
    new = np.asarray(Image.open("new.png")).astype(int)
    assert (new[:, :6] == (200, 60, 60)).all()
    assert np.ptp(new[:, 6:], axis=2).max() == 0  # the painter's grey


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


@pytest.mark.parametrize("size", [(1, 1), (3, 2000), (2000, 3)])
def test_photos_of_odd_sizes_get_all_their_pictures(size: tuple[int, int], painter: type[Painter]) -> None:
    photos("old.png", size=size)
    assert color("old.png", "--output", "new.png", "--samples", "4", "--compare", "--gif", "--steps", "1") == 0
    for name in ("new-samples.png", "new-compare.png"):
        with Image.open(name) as image:
            assert max(image.size) < 5 * 1100


def test_help_has_an_example_of_every_option() -> None:
    parser = argparse.ArgumentParser(prog="x")
    colorize.add_arguments(parser)
    names = [name for action in parser._actions for name in action.option_strings if name.startswith("--")]
    assert parser.epilog is not None
    shown_otherwise = {"--help", "--detect"}  # the default is to detect; its example is --no-detect
    assert [name for name in names if name not in parser.epilog and name not in shown_otherwise] == []


def test_help_does_not_wait_for_torch() -> None:
    code = (
        "import atexit, sys, inference; atexit.register(lambda: print('torch' in sys.modules)); inference.main(['-h'])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=SCRIPT.parent, capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("usage: python inference.py --image-path"), done.stderr
    assert done.stdout.endswith("False\n")


@pytest.mark.parametrize("name", colorize.FORMATS)
def test_every_format_can_be_written_and_read(name: str, painter: type[Painter]) -> None:
    photos("album/old.png")
    assert color("album", "--output", "out", "--format", name) == 0
    assert files("out") == {f"old.{name}"}
    assert value(f"out/old.{name}") == 10


def test_a_warning_about_a_photo_is_one_line_that_names_it(
    painter: type[Painter], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    photos("old.png")

    def warned(path: Path) -> Photo:
        warnings.warn("its colour profile is broken", stacklevel=2)
        return Photo.from_array(np.full((4, 6, 3), 90, np.uint8))

    monkeypatch.setattr(zoo.photos.photo, "read_photo", warned)
    assert color("old.png", "--output", "new.png") == 0
    assert capsys.readouterr().err == "old.png: its colour profile is broken\n"


def test_the_script_colors_a_photo_with_a_model_file(tmp_path: Path) -> None:
    checkpoint.save(tiny_model(), tmp_path / "tiny.safetensors")
    photos(str(tmp_path / "old.png"), size=(40, 30))
    arguments = "--image-path old.png --checkpoint tiny.safetensors --output new.png --steps 2 --device cpu --gif"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(SCRIPT), *arguments.split()]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / "new.png") as image:
        assert image.size == (40, 30)
    with Image.open(tmp_path / "new.gif") as image:
        assert image.n_frames >= 2


@pytest.mark.parametrize("content", [b"", b"\x80\x04\x95 a pickle", b"x" * 100, None])
def test_a_checkpoint_that_cannot_be_read_is_one_line(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    photos("old.png")
    if content is not None:
        Path("model.safetensors").write_bytes(content)
    refused(capsys, "model.safetensors", "old.png", "--output", "new.png", "--checkpoint", "model.safetensors")
