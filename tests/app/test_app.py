"""The page in a browser: what its controls do, what it serves, and how it looks on a screen and on a phone."""

from __future__ import annotations

import json
import math
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gradio.data_classes import FileData, ListFiles
from PIL import Image
from safetensors.numpy import save_file

import app
from support.models import TINY_DENOISER, tiny_model
from zoo import checkpoint as model_files
from zoo.app.actions import Actions, Results
from zoo.app.checkpoints import Checkpoint, discover
from zoo.app.display import LONG_SIDE, grey, shown
from zoo.app.examples import write_examples
from zoo.app.live import OnStep, Step, Turns, watch
from zoo.app.page import build
from zoo.app.saying import as_hex, hint_at, marked
from zoo.app.store import Store
from zoo.app.uncertainty import heat_map, legend
from zoo.color.lab import uint8_to_lab
from zoo.errors import ZooError
from zoo.photos.colorizer import ColorizeOptions
from zoo.photos.hints import Hint
from zoo.tensor_file import FORMAT, FORMAT_VERSION, READABLE_VERSIONS

QUICK = ColorizeOptions(steps=2, detect=False)


@pytest.fixture(scope="session")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photos") / "old.png"
    ramp = np.linspace(30, 220, 48 * 40).reshape(40, 48).astype(np.uint8)
    Image.fromarray(ramp).save(path)
    return path


@pytest.fixture
def actions(checkpoint: Path, tmp_path: Path) -> Actions:
    return Actions({"small": Checkpoint.read(checkpoint)}, Store(tmp_path / "served", 10**9), 1_000_000, "cpu")


# Colours that are said


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("#a06040", "#a06040"),
        ("rgba(160, 96.4, 64, 1)", "#a06040"),
        ("rgb(0,0,255.6)", "#0000ff"),
        ("tomato", "tomato"),
    ],
)
def test_a_picked_color_is_read_as_browsers_say_it(said: str, expected: str) -> None:
    assert as_hex(said) == expected


def test_a_click_is_a_hint_at_that_pixel_of_what_is_shown() -> None:
    hint = hint_at((30, 10), "#5a8a60", (40, 60))
    assert hint.place(80, 120) == 61 + 21j
    assert hint.color == "#5a8a60"
    assert hint_at((60, 40), "#5a8a60", (40, 60)).place(40, 60) == 59.5 + 39.5j
    with pytest.raises(ZooError, match="no colour"):
        hint_at((0, 0), "tomato", (40, 60))


def test_marks_lie_where_colors_were_said_in_these_colors(photo: Path) -> None:
    plain = marked(photo, ())
    drawn = marked(photo, [Hint(0.25, 0.75, "#5a8a60")])
    assert drawn[30, 12].tolist() == [0x5A, 0x8A, 0x60]
    changed = np.nonzero((plain != drawn).any(axis=2))
    assert np.hypot(changed[0] - 30, changed[1] - 12).max() < 9


def test_a_checkpoint_says_whether_it_can_be_told_colors(checkpoint: Path, tmp_path: Path) -> None:
    model_files.save(tiny_model("none", "none", denoiser=TINY_DENOISER | {"hints": True}), tmp_path / "m.safetensors")
    assert Checkpoint.read(tmp_path / "m.safetensors").hints
    assert not Checkpoint.read(checkpoint).hints


# Model files


def test_a_checkpoint_is_known_by_its_header(checkpoint: Path) -> None:
    found = Checkpoint.read(checkpoint)
    stored = sum(tensor.numel() for tensor in tiny_model("unet", "film").stored_state().values())
    assert (found.name, found.encoder, found.cond, found.image_size) == ("small", "unet", "film", 16)
    assert found.parameters == stored


@pytest.mark.parametrize("version", READABLE_VERSIONS)
def test_a_checkpoint_is_offered_in_each_version_that_can_be_read(tmp_path: Path, version: str) -> None:
    header = {"format": FORMAT, "version": version, "spec": json.dumps(tiny_model().spec)}
    save_file({"weight": np.zeros(1, np.float32)}, tmp_path / "old.safetensors", header)
    assert list(discover([tmp_path], bundled=(), runs=tmp_path / "none")) == ["old"]


def test_runs_are_named_by_their_folder_and_foreign_files_in_folders_are_passed_over(tmp_path: Path) -> None:
    for run in ("b", "a"):
        model_files.save(tiny_model(), tmp_path / run / "model.safetensors")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "model.safetensors").write_bytes(b"half a file")
    told: list[ZooError] = []
    assert list(discover(bundled=(), runs=tmp_path, on_skip=told.append)) == ["a", "b"]
    assert [str(tmp_path / "c") in str(error) for error in told] == [True]


SPEC = {"encoder": {"name": "unet"}, "cond": {"name": "film"}, "image_size": 16}


@pytest.mark.parametrize(
    "spec",
    [
        "[" * 100_000,
        "null",
        "[1]",
        json.dumps(SPEC | {"image_size": math.inf}),
        json.dumps(SPEC | {"image_size": "wide"}),
        json.dumps(SPEC | {"image_size": 10**30}),
        json.dumps(SPEC | {"encoder": "unet"}),
        json.dumps(SPEC | {"encoder": {"name": 7}}),
        json.dumps(SPEC | {"cond": {"name": "x" * 10_000}}),
        json.dumps(SPEC | {"cond": {"name": "two\nlines"}}),
        '{"encoder": {"name": "\\ud800"}, "cond": {"name": "film"}, "image_size": 16}',
    ],
)
def test_a_model_file_whose_header_is_nonsense_is_left_out_in_one_line(tmp_path: Path, spec: str) -> None:
    (tmp_path / "run").mkdir()
    header = {"format": FORMAT, "version": FORMAT_VERSION, "spec": spec}
    save_file({"weight": np.zeros(1, np.float32)}, tmp_path / "run" / "model.safetensors", header)
    model_files.save(tiny_model(), tmp_path / "good" / "model.safetensors")
    told: list[ZooError] = []
    assert list(discover(bundled=(), runs=tmp_path, on_skip=told.append)) == ["good"]
    assert len(told) == 1
    assert "\n" not in str(told[0])


def test_a_file_that_is_named_comes_first_and_is_listed_once(checkpoint: Path, tmp_path: Path) -> None:
    model_files.save(tiny_model(), tmp_path / "run" / "model.safetensors")
    names = list(discover([checkpoint, checkpoint], bundled=[checkpoint], runs=tmp_path))
    assert names == ["small", "run"]


def test_two_models_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for folder in ("x", "y"):
        model_files.save(tiny_model(), tmp_path / folder / "run" / "model.safetensors")
    assert len(discover([tmp_path / "x", tmp_path / "y"], bundled=(), runs=tmp_path / "none")) == 2


def test_a_named_file_must_be_a_model(tmp_path: Path) -> None:
    (tmp_path / "bad.safetensors").write_bytes(b"no tensors")
    with pytest.raises(ZooError, match="not a readable model file"):
        discover([tmp_path / "bad.safetensors"])
    with pytest.raises(ZooError, match="does not exist"):
        discover([tmp_path / "gone.safetensors"])


def test_a_model_is_read_again_only_when_its_file_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "one.safetensors"
    model_files.save(tiny_model(), path)
    first = Checkpoint.read(path).load("cpu")
    assert Checkpoint.read(path).load("cpu") is first
    model_files.save(tiny_model(seed=1), path)
    assert Checkpoint.read(path).load("cpu") is not first


# Pictures


def test_what_is_shown_of_a_photo_is_bounded_and_small_faces_are_enlarged() -> None:
    assert shown(np.zeros((300, 5000, 3), np.uint8)).shape == (61, LONG_SIDE, 3)
    assert shown(np.zeros((64, 64, 3), np.uint8)).shape == (384, 384, 3)
    assert shown(np.zeros((1, 3000, 3), np.uint8)).shape == (1, LONG_SIDE, 3)


def test_the_picture_before_is_neutral_and_as_light_as_the_photo() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    neutral = grey(photo)
    before, after = (uint8_to_lab(torch.from_numpy(picture)[None])[0] for picture in (photo, neutral))
    assert (neutral == neutral[..., :1]).all()
    assert float((before - after).abs().max()) * 50 < 0.3  # L*, by rounding


def test_examples_are_grey_and_the_first_is_the_portrait(tmp_path: Path) -> None:
    paths = write_examples(tmp_path)
    assert [path.stem for path in paths[:2]] == ["astronaut", "portrait"]
    for path in paths:
        pixels = np.asarray(Image.open(path))
        assert (pixels == pixels[..., :1]).all()


def test_disagreement_is_brighter_where_it_is_larger() -> None:
    spread = np.linspace(0, 20, 400, dtype=np.float32).reshape(20, 20)
    picture, top = heat_map(spread)
    lightness = picture.reshape(-1, 3).sum(1).astype(int)
    assert (np.diff(lightness) >= -3).all()  # viridis, to within rounding
    assert f"{top:.1f}" in legend(top)


def test_disagreement_that_no_eye_sees_stays_dark() -> None:
    noise, none, some = (heat_map(np.full((8, 8), spread, np.float32))[0].astype(int) for spread in (0.05, 0, 5))
    assert abs(noise - none).max() < 10
    assert abs(some - none).max() > 100


# Opening and colouring


def test_a_photo_is_opened_with_a_grey_picture_of_it(actions: Actions, photo: Path) -> None:
    opened = actions.open(photo)
    assert opened.size == (40, 48)
    assert Image.open(opened.before).size == opened.shown_size[::-1]


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n and no more"])
def test_what_is_no_photo_is_refused_by_its_name_without_the_folder(
    actions: Actions, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "bad.png"
    path.write_bytes(content)
    with pytest.raises(ZooError, match=r"bad\.png") as refused:
        actions.open(path)
    assert str(tmp_path) not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_photo_with_too_many_pixels_is_refused(checkpoint: Path, photo: Path, tmp_path: Path) -> None:
    with pytest.raises(ZooError):
        Actions({}, Store(tmp_path / "served", 10**9), 1000, "cpu").open(photo)


def test_coloring_shows_each_step_and_leaves_files_of_full_size(actions: Actions, photo: Path) -> None:
    opened = actions.open(photo)
    *steps, results = actions.color(opened, "small", QUICK)
    assert isinstance(results, Results)
    assert steps
    for step in steps:
        assert isinstance(step, Step)
        assert step.preview is None or step.preview.shape == (*opened.shown_size, 3)
    assert [path.name for path in results.files] == ["old-coloured.png"]
    assert Image.open(results.files[0]).size == (48, 40)
    assert results.heat is None


def test_several_samples_come_with_a_map_of_where_they_disagree(actions: Actions, photo: Path) -> None:
    opened = actions.open(photo)
    *_, results = actions.color(opened, "small", ColorizeOptions(steps=1, samples=3, detect=False))
    assert isinstance(results, Results)
    assert len(results.files) == len(results.shown) == 3
    assert results.heat is not None
    assert results.heat[0].shape == (*opened.shown_size, 3)


class Endless:
    """A colorizer that works until it is stopped."""

    def __init__(self) -> None:
        self.ended = threading.Event()

    def colorize_photos(self, photos: Any, options: Any, *, on_step: Callable[[int, Any], None]) -> list[Any]:
        try:
            for step in range(10**9):
                on_step(step, None)
        finally:
            self.ended.set()
        return []


def test_closing_stops_the_work_before_it_returns() -> None:
    colorizer: Any = Endless()
    events = watch(lambda on_step: colorizer.colorize_photos([], QUICK, on_step=on_step), Turns())
    assert isinstance(next(events), Step)
    events.close()
    assert colorizer.ended.is_set()


def test_an_error_of_the_work_is_raised_where_it_is_watched() -> None:
    def refuse(on_step: OnStep) -> None:
        raise ZooError("no such face")

    turns = Turns()
    with pytest.raises(ZooError, match="no such face"):
        list(watch(refuse, turns))
    assert len(turns) == 0


@pytest.mark.parametrize("suffix", [".jpg", ".JPG", ".jp2", ".pnm", ".mpo", ".webp"])
def test_the_page_takes_all_kinds_that_can_be_read(actions: Actions, photo: Path, tmp_path: Path, suffix: str) -> None:
    page = build(actions, [photo], max_mb=1)
    upload = next(block for block in page.blocks.values() if block.elem_id == "upload")
    (tmp_path / f"a{suffix}").touch()
    given = ListFiles([FileData(path=str(tmp_path / f"a{suffix}"))])
    assert [Path(path).suffix for path in upload.preprocess(given)] == [suffix]


@pytest.mark.parametrize(
    ("control", "value"),
    [
        ("Samples", 7),
        ("Steps", 51),
        ("Steps", 10**9),
        ("Steps", math.nan),
        ("Guidance", -1),
        ("Seed", -1),
        ("Model", "/etc"),
    ],
)
def test_a_program_that_poses_as_the_page_cannot_ask_for_more_than_its_controls_offer(
    actions: Actions, photo: Path, control: str, value: Any
) -> None:
    page = build(actions, [photo], max_mb=1)
    asked = next(block for block in page.blocks.values() if getattr(block, "label", None) == control)
    with pytest.raises(Exception, match=r"(?i)maximum|minimum|not in the list|NaN"):
        asked.preprocess(value)


# Serving


def test_help_needs_neither_torch_nor_gradio() -> None:
    script = "import sys, app\ntry: app.main(['--help'])\nexcept SystemExit: pass\n"
    script += "assert not {'torch', 'gradio'} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=Path(app.__file__).parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "--max-megapixels" in done.stdout


def test_a_port_in_use_is_one_line(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert app.main(["--port", str(port), "--checkpoints", str(checkpoint)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: cannot listen on 127.0.0.1, port {port}")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "options",
    [
        ["--port", "70000"],
        ["--max-mb", "0"],
        ["--max-megapixels", "nan"],
        ["--checkpoints", "gone"],
        ["--max-total-mb", "5"],
        ["--host", "no such name"],
        ["--root-path", "ftp://x/y"],
        ["--root-path", "https://x/y?z"],
        ["--root-path", "https://x:99999/y"],
        ["--root-path", "https://[::1/y"],
        ["--plugin", "gone.py"],
    ],
)
def test_options_that_cannot_be_are_one_line(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert app.main(options) == 2
    assert re.fullmatch(r"error: .*\n", capsys.readouterr().err)


def test_options_come_with_their_plugins(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    plugin = tmp_path / "mine.py"
    plugin.write_text("raise RuntimeError('it was imported')")
    assert app.main(["--plugin", str(plugin), "--checkpoints", str(checkpoint)]) == 2
    assert "it was imported" in capsys.readouterr().err


def test_the_models_of_the_package_are_one_choice(checkpoint: Path, tmp_path: Path) -> None:
    other = tmp_path / "around.safetensors"
    other.write_bytes(checkpoint.read_bytes())
    alone, both = discover([checkpoint], bundled=[checkpoint, other], runs=tmp_path / "none").items()
    assert alone[0] == Checkpoint.read(checkpoint).name
    assert both[0] == f"{alone[0]} + around"
    assert both[1].parameters == 2 * alone[1].parameters
