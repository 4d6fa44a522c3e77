"""Colouring one photo from the command line: what reaches the model, and what is written."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import inference
import zoo.photos.colorizer
import zoo.photos.photo
from support.models import tiny_model
from support.painting import Painter, color, files, photos, refused, value
from zoo import checkpoint
from zoo.commands import colorize
from zoo.photos.colorizer import ColorizeOptions
from zoo.photos.photo import Photo

SCRIPT = Path(inference.__file__)


def test_colours_are_said_on_the_command_line_and_in_a_file(painter: type[Painter]) -> None:
    photos("old.jpg")
    Path("colours.txt").write_text("0.25,0.75,#5a8a60\n")
    given = ("--hint", "3,4,#c03030", "--hint", "0.5,0.5,#3060c0", "--hints", "colours.txt")
    assert color("old.jpg", "--output", "new.png", *given) == 0
    (_, options), *_ = painter.asked
    assert [str(hint) for hint in options.hints] == ["3,4,#c03030", "0.5,0.5,#3060c0", "0.25,0.75,#5a8a60"]


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


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("--sampler", "ddim"), True),
        (("--steps", "9"), True),
        ((), False),
        (("--steps", "9", "--vivid"), False),
        (("--steps", "9", "--samples", "2"), False),
    ],
)
def test_a_sampler_that_is_not_asked_to_draw_is_told(
    painter: type[Painter], given: tuple[str, ...], told: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    photos("old.jpg")
    assert color("old.jpg", "--output", "new.png", *given) == 0
    assert ("takes one step; --vivid draws" in capsys.readouterr().err) == told


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
    arguments = (
        "--image-path old.png --checkpoint tiny.safetensors --output new.png --steps 2 --device cpu --vivid --gif"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(SCRIPT), *arguments.split(), "--vivid", "--gif"]
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


def test_heic_is_colored_like_any_photo(painter: type[Painter]) -> None:
    pytest.importorskip("pillow_heif").register_heif_opener()
    photos("old.heic", "album/a.heic", size=(64, 64))
    assert color("old.heic", "--output", "new.png") == 0
    assert color("album", "--output", "coloured") == 0
    assert files("coloured") == {"a.png"}
    assert value("new.png") == 10
