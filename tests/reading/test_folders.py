"""Searching folders: everything once, whatever links there are."""

import os
from pathlib import Path

import pytest

from zoo.errors import ZooError
from zoo.reading import folders
from zoo.reading.folders import left_out, walk


def put(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def found(*tops: Path) -> list[str]:
    top = tops[0] if len(tops) == 1 else tops[0].parent
    return [path.relative_to(top).as_posix() for path in walk(*tops)]


def test_all_files_below_come_in_order_but_hidden_ones(tmp_path: Path) -> None:
    put(tmp_path, "b/2", "b/1", "a", ".hidden", ".git/x")
    assert found(tmp_path) == ["a", "b/1", "b/2"]


@pytest.mark.parametrize("target", [".", "..", "../b", "loop"])
def test_links_that_never_end_end(tmp_path: Path, target: str) -> None:
    put(tmp_path, "a/1", "a/deep/2")
    (tmp_path / "a" / "loop").symlink_to(target)
    (tmp_path / "b").symlink_to("a")
    assert sorted(name for name in found(tmp_path / "a") if not name.endswith("loop")) == ["1", "deep/2"]


def test_a_folder_that_a_link_leads_to_is_searched(tmp_path: Path) -> None:
    put(tmp_path, "elsewhere/1", "top/2")
    (tmp_path / "top" / "link").symlink_to(tmp_path / "elsewhere")
    assert found(tmp_path / "top") == ["2", "link/1"]


def test_a_file_that_is_reached_twice_comes_once_by_its_own_name(tmp_path: Path) -> None:
    put(tmp_path, "z/1")
    (tmp_path / "a").symlink_to("z")
    (tmp_path / "0").symlink_to("z/1")
    os.link(tmp_path / "z" / "1", tmp_path / "z" / "2")
    assert found(tmp_path) == ["z/1"]


def test_of_several_tops_the_earlier_ones_keep_their_files(tmp_path: Path) -> None:
    put(tmp_path, "test/1", "train/2")
    (tmp_path / "train" / "all").symlink_to("..")
    assert found(tmp_path / "test", tmp_path / "train") == ["test/1", "train/2"]


def test_a_folder_that_cannot_be_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "a/1")
    scan = os.scandir

    def refuse(path: Path):  # type: ignore[no-untyped-def]
        if path.name == "a":
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(folders.os, "scandir", refuse)
    with pytest.raises(ZooError, match=r"/a cannot be read \(Permission denied\)"):
        list(walk(tmp_path))


def test_what_is_left_out_is_named_and_counted() -> None:
    paths = [Path("1.txt"), Path("a/2.TXT"), Path("3.psd"), Path("README")]
    assert left_out(paths) == "4 files left out (2 .txt, 1 .psd, 1 without a suffix)"
    assert left_out([]) == ""


@pytest.mark.usefixtures("without_heif")
def test_heic_that_is_left_out_for_want_of_its_reader_says_what_to_install() -> None:
    told = left_out([Path("a.heic"), Path("b.HEIC"), Path("c.txt")])
    assert told.startswith("3 files left out (2 .heic, 1 .txt); HEIC is not supported without pillow-heif: ")
    assert "pillow-heif" not in left_out([Path("c.txt")])
