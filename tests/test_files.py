"""Files that are either there and whole, or not there."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from zoo.files import link, replacing, write_text


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_failure_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")

    def fail_half_way() -> None:
        with replacing(target) as temporary:
            temporary.write_text("half")
            raise OSError("disk full")

    with pytest.raises(OSError, match="full"):
        fail_half_way()
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_new_file_has_the_usual_permissions_and_a_replaced_one_keeps_its_own(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        for name, old in (("new", None), ("private", 0o600), ("shared", 0o664)):
            path = tmp_path / name
            if old is not None:
                path.touch()
                path.chmod(old)
            with replacing(path) as temporary:
                temporary.unlink()
                temporary.write_text("whole")
                temporary.chmod(0o600)  # as writers do that go by a temporary file themselves
            assert mode(path) == (0o640 if old is None else old)
    finally:
        os.umask(before)


@pytest.mark.parametrize("place", ["a_file/t.csv", "a_file/below/t.csv", "/proc/t.csv", "a_folder"])
def test_what_cannot_be_written_is_named_as_it_was_given(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a_file").touch()
    Path("a_folder").mkdir()
    with pytest.raises(OSError, match=r"Not a directory|No such file|Is a directory|Permission") as refused:  # noqa: SIM117
        with replacing(Path(place)) as temporary:
            temporary.write_text("all of it")
    assert (refused.value.filename, refused.value.filename2) == (place, None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a_file", "a_folder"]


def linked(folder: Path) -> tuple[Path, Path]:
    one, other = folder / "one", folder / "other"
    one.write_text("content")
    other.write_text("what was there")
    link(one, other)
    return one, other


def test_a_linked_file_takes_room_once_and_keeps_its_permissions(tmp_path: Path) -> None:
    one, other = linked(tmp_path)
    one.chmod(0o440)
    link(one, other)  # once more
    assert one.samefile(other)
    assert mode(one) == 0o440
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "other"]


@pytest.mark.parametrize("written", ["one", "other"])
def test_writing_to_one_of_two_linked_files_leaves_the_other(tmp_path: Path, written: str) -> None:
    files = {path.name: path for path in linked(tmp_path)}
    write_text(files.pop(written), "new")
    (other,) = files.values()
    assert other.read_text() == "content"


def test_where_there_are_no_links_it_is_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    one, other = linked(tmp_path)
    assert other.read_text() == "content"
    assert not one.samefile(other)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "other"]
