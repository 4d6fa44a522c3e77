"""Photos are opened and coloured, watched and stopped."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gradio.data_classes import FileData, ListFiles
from PIL import Image

from zoo.app.actions import Actions, Results
from zoo.app.live import OnStep, Step, Turns, watch
from zoo.app.page import build
from zoo.app.store import Store
from zoo.errors import ZooError
from zoo.photos.colorizer import ColorizeOptions

QUICK = ColorizeOptions(steps=2, detect=False)


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


def test_heic_is_opened_and_coloured_like_any_photo(actions: Actions, photo: Path, tmp_path: Path) -> None:
    pytest.importorskip("pillow_heif").register_heif_opener()
    Image.open(photo).convert("RGB").save(tmp_path / "phone.heic", quality=90)
    *_, results = actions.color(actions.open(tmp_path / "phone.heic"), "small", QUICK)
    assert isinstance(results, Results)
    assert [path.name for path in results.files] == ["phone-coloured.png"]


@pytest.mark.usefixtures("without_heif")
def test_where_heic_is_not_read_the_page_says_so_and_takes_it_that_far(
    actions: Actions, photo: Path, tmp_path: Path
) -> None:
    path = tmp_path / "phone.heic"
    path.write_bytes(b"\0\0\0\x18ftypheic" + bytes(64))
    page = build(actions, [photo], max_mb=1)
    upload = next(block for block in page.blocks.values() if block.elem_id == "upload")
    (given,) = upload.preprocess(ListFiles([FileData(path=str(path))]))
    with pytest.raises(ZooError, match=r"^phone\.heic: HEIC is not supported without pillow-heif: install it"):
        actions.open(Path(given))


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
