"""Several photos in, one ZIP out."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import numpy as np
import pytest
from PIL import Image

from zoo.app.actions import Actions
from zoo.app.album import MOST, Album, Turn, color_album
from zoo.app.checkpoints import Checkpoint
from zoo.app.live import Step
from zoo.app.store import Store
from zoo.errors import ZooError
from zoo.photos.colorizer import ColorizeOptions

QUICK = ColorizeOptions(steps=1, detect=False)


@pytest.fixture
def actions(checkpoint: Path, tmp_path: Path) -> Actions:
    return Actions({"small": Checkpoint.read(checkpoint)}, Store(tmp_path / "served", 10**8), 10**6, "cpu")


def make(path: Path, width: int = 20) -> Path:
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(np.arange(20 * width).reshape(20, width).astype(np.uint8)).save(path)
    return path


def last(actions: Actions, paths: list[Path], options: ColorizeOptions = QUICK) -> Album:
    *_, album = color_album(actions, paths, "small", options)
    assert isinstance(album, Album)
    return album


def test_each_photo_has_its_turn_and_the_zip_holds_them_all(actions: Actions, tmp_path: Path) -> None:
    paths = [make(tmp_path / "a.png"), make(tmp_path / "b.png", 30)]
    *events, album = color_album(actions, paths, "small", QUICK)
    assert [event.number for event in events if isinstance(event, Turn)] == [1, 2]
    assert any(isinstance(event, Step) for event in events)
    assert isinstance(album, Album)
    assert (album.done, album.broken) == (2, ())
    with ZipFile(album.file) as archive:
        sizes = {info.filename: Image.open(archive.open(info)).size for info in archive.infolist()}
        assert all(info.compress_type == ZIP_STORED for info in archive.infolist())
    assert sizes == {"a-coloured.png": (20, 20), "b-coloured.png": (30, 20)}
    assert list(actions.store.folder.rglob("*.png")) == []  # what is in the ZIP takes no room a second time


def test_a_photo_in_an_album_is_colored_as_it_is_alone(actions: Actions, tmp_path: Path) -> None:
    paths = [make(tmp_path / "a.png"), make(tmp_path / "b.png", 30)]
    *_, alone = actions.color(actions.open(paths[1]), "small", QUICK)
    assert not isinstance(alone, Step)
    with ZipFile(last(actions, paths).file) as archive:
        assert archive.read("b-coloured.png") == alone.files[0].read_bytes()


def test_a_broken_photo_is_named_and_the_others_are_done(actions: Actions, tmp_path: Path) -> None:
    (tmp_path / "letter.png").write_text("Dear reader")
    album = last(actions, [tmp_path / "letter.png", make(tmp_path / "a.png"), tmp_path / "gone.png"])
    assert album.done == 1
    assert [line.split(":")[0] for line in album.broken] == ["letter.png", "gone.png"]


def test_files_of_one_name_do_not_hide_each_other(actions: Actions, tmp_path: Path) -> None:
    paths = [make(tmp_path / "x" / "a.png"), make(tmp_path / "y" / "A.png")]
    with ZipFile(last(actions, paths).file) as archive:
        assert archive.namelist() == ["a-coloured.png", "A-coloured-2.png"]


def test_all_samples_are_in_it(actions: Actions, tmp_path: Path) -> None:
    paths = [make(tmp_path / "a.png"), make(tmp_path / "b.png")]
    album = last(actions, paths, ColorizeOptions(steps=1, samples=2, detect=False))
    with ZipFile(album.file) as archive:
        assert len(archive.namelist()) == 4


def test_if_none_can_be_coloured_that_is_said_and_no_file_is_left(actions: Actions, tmp_path: Path) -> None:
    (tmp_path / "letter.png").write_text("Dear reader")
    with pytest.raises(ZooError, match=r"none of 2 photos was coloured: letter\.png"):
        last(actions, [tmp_path / "letter.png", tmp_path / "gone.png"])
    assert [path for path in actions.store.folder.rglob("*") if path.is_file()] == []


def test_too_many_are_refused_before_one_is_opened(actions: Actions, tmp_path: Path) -> None:
    with pytest.raises(ZooError, match=f"at most {MOST}"):
        last(actions, [tmp_path / "gone.png"] * (MOST + 1))


def test_one_that_is_stopped_leaves_no_archive(actions: Actions, tmp_path: Path) -> None:
    events = color_album(actions, [make(tmp_path / "a.png"), make(tmp_path / "b.png")], "small", QUICK)
    while not (isinstance(event := next(events), Turn) and event.number == 2):
        pass
    events.close()
    assert [path for path in actions.store.folder.rglob("*") if path.suffix in (".zip", ".part")] == []


def test_where_no_room_is_left_the_photo_is_named_by_what_was_wrong(checkpoint: Path, tmp_path: Path) -> None:
    small = Actions({"small": Checkpoint.read(checkpoint)}, Store(tmp_path / "served", 6000), 10**6, "cpu")
    with pytest.raises(ZooError, match="no room"):
        last(small, [make(tmp_path / "a.png", 200)])
