"""The folder of uploads and results: bounded, swept, and gone when its server is."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from zoo.app.store import Store, temporary_folder
from zoo.errors import ZooError


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_room_ends_at_the_limit(tmp_path: Path) -> None:
    store = Store(tmp_path / "served", 100_000)
    (store.new_folder() / "a").write_bytes(bytes(90_000))
    store.need(10_000)
    with pytest.raises(ZooError, match="no room"):
        store.need(10_001)


def test_empty_files_take_room_too(tmp_path: Path) -> None:
    store = Store(tmp_path / "served", 100_000)
    for _ in range(30):
        (store.new_folder() / "a").touch()
    with pytest.raises(ZooError, match="no room"):
        store.need(1)


def test_old_files_are_deleted_but_not_those_of_the_page(tmp_path: Path) -> None:
    store = Store(tmp_path / "served", 10**6)
    page, old, new = (store.new_folder() / "a.png" for _ in range(3))
    page.write_bytes(b"x")
    store.keep_these()
    for path in (old, new):
        path.write_bytes(b"x")
    for path in (page, old):
        os.utime(path, (0, 0))
    store.sweep(older_than=3600)
    assert (page.exists(), old.parent.exists(), new.exists()) == (True, False, True)


def test_a_folder_ends_with_its_block(place: Path) -> None:
    with temporary_folder() as folder:
        (folder / "photo.png").write_bytes(b"x")
    assert list(place.iterdir()) == []


def test_what_a_killed_server_left_is_removed_and_what_a_running_one_uses_stays(place: Path) -> None:
    code = "import sys; from zoo.app.store import temporary_folder\n"
    code += "with temporary_folder() as folder:\n"
    code += " (folder / 'photo.png').touch(); print(folder, flush=True); sys.stdin.read()"
    environment = os.environ | {"TMPDIR": str(place)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    folders = [Path(process.stdout.readline().strip()) for process in processes if process.stdout]
    processes[0].kill()
    processes[0].wait()
    with temporary_folder():
        assert [folder.exists() for folder in folders] == [False, True]
    processes[1].communicate("")
    assert list(place.iterdir()) == []


def test_folders_of_others_and_links_are_left_alone(place: Path) -> None:
    (place / "else").mkdir()
    (place / "else" / "in-use.lock").touch()
    (place / "zoo-app-link").symlink_to(place / "else")
    (place / "zoo-app-unknown").mkdir()
    with temporary_folder():
        pass
    assert {path.name for path in place.iterdir()} == {"else", "zoo-app-link", "zoo-app-unknown"}
