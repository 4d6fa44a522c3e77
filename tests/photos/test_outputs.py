"""Which photos are meant, how their files are named, and what is never written over."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from zoo.errors import ZooError
from zoo.photos.outputs import Existing, Plan, Wanted, plan

ONE = Wanted()


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def make(*names: str) -> None:
    """Files of these names; planning does not look into them."""
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()


def planned(values: str, output: str, wanted: Wanted = ONE, existing: Existing = "refuse") -> dict[str, list[str]]:
    """Photo → its files."""
    found: Plan = plan(values.split(), output, wanted, existing)
    return {job.source.as_posix(): [path.as_posix() for path in job.files] for job in found.jobs}


def test_one_photo_goes_to_the_file_that_is_named() -> None:
    make("old.jpg")
    assert planned("old.jpg", "new.webp") == {"old.jpg": ["new.webp"]}


def test_all_files_of_a_photo_begin_as_its_output_does() -> None:
    make("old.jpg")
    assert planned("old.jpg", "new.jpg", Wanted(samples=2, compare=True, animation=True)) == {
        "old.jpg": ["new-1.jpg", "new-2.jpg", "new-samples.png", "new-compare.png", "new.gif"]
    }


def test_numbers_have_one_width_so_that_names_sort() -> None:
    make("old.jpg")
    (names,) = planned("old.jpg", "new.png", Wanted(samples=10)).values()
    assert names[:10] == sorted(names[:10])
    assert names[0] == "new-01.png"


def test_a_folder_s_photos_keep_their_paths_and_hidden_ones_are_left_out() -> None:
    make(
        "album/b/x.y.PNG",
        "album/a.jpg",
        "album/.a.jpg",
        "album/.git/a.jpg",
        "album/notes.txt",
        "album/folder.jpg/c.png",
    )
    assert planned("album", "out") == {
        "album/a.jpg": ["out/a.png"],
        "album/b/x.y.PNG": ["out/b/x.y.png"],
        "album/folder.jpg/c.png": ["out/folder.jpg/c.png"],
    }


def test_a_glob_is_expanded_and_keeps_paths_below_its_fixed_part() -> None:
    make("album/a.jpg", "album/b.png", "album/x/c.jpg")
    assert planned("album/*.jpg", "out") == {"album/a.jpg": ["out/a.png"]}
    assert planned("album/**/*.jpg", "out", Wanted(suffix=".webp")) == {
        "album/a.jpg": ["out/a.webp"],
        "album/x/c.jpg": ["out/x/c.webp"],
    }


def test_a_file_whose_name_looks_like_a_glob_is_that_file() -> None:
    make("old[1].png")
    assert planned("old[1].png", "new.png") == {"old[1].png": ["new.png"]}


def test_a_photo_named_twice_is_done_once() -> None:
    make("a.png", "b.png")
    assert planned("a.png b.png ./a.png", "out") == {"a.png": ["out/a.png"], "b.png": ["out/b.png"]}


def test_one_photo_goes_into_a_folder_that_is_there_or_ends_with_a_slash() -> None:
    make("old.jpg")
    Path("there").mkdir()
    assert planned("old.jpg", "there") == {"old.jpg": ["there/old.png"]}
    assert planned("old.jpg", "new/") == {"old.jpg": ["new/old.png"]}


def test_photos_that_differ_in_their_suffix_alone_get_names_of_their_own() -> None:
    make("album/a.jpg", "album/a.png", "album/b.png")
    assert planned("album", "out") == {
        "album/a.jpg": ["out/a-jpg.png"],
        "album/a.png": ["out/a-png.png"],
        "album/b.png": ["out/b.png"],
    }


@pytest.mark.parametrize("values", ["album", "album/**"])
def test_results_below_the_folder_of_photos_are_no_photos(values: str) -> None:
    make("album/a.jpg", "album/x/b.jpg", "album/out/a.png", "album/out/x/b.png")
    assert planned(values, "album/out", existing="overwrite") == {
        "album/a.jpg": ["album/out/a.png"],
        "album/x/b.jpg": ["album/out/x/b.png"],
    }


def test_photos_may_lie_below_the_folder_of_results() -> None:
    make("album/2020/a.jpg")
    assert planned("album/2020", "album") == {"album/2020/a.jpg": ["album/a.png"]}


def test_two_photos_never_go_to_one_file() -> None:
    make("x/a.jpg", "y/a.jpg")
    with pytest.raises(ZooError, match=r"x/a\.jpg and y/a\.jpg would both be written to out/a-jpg\.png"):
        planned("x y", "out")


def test_skipping_leaves_out_photos_whose_files_are_all_there() -> None:
    make("album/a.jpg", "album/b.jpg", "out/a.png", "out/a.gif", "out/b.png")
    found = plan(["album"], "out", Wanted(animation=True), "skip")
    assert [job.source.name for job in found.jobs] == ["b.jpg"]
    assert found.skipped == 1


def test_a_file_that_is_there_refuses_all_and_the_first_is_named() -> None:
    make("album/a.jpg", "album/b.jpg", "album/c.jpg", "out/b.png", "out/c.png")
    with pytest.raises(ZooError, match=r"out/b\.png exists already \(and 1 more\); give --overwrite"):
        planned("album", "out")


def test_a_link_to_nothing_is_a_file_that_is_there() -> None:
    make("old.jpg")
    Path("new.png").symlink_to("nowhere.png")
    with pytest.raises(ZooError, match=r"new\.png exists already"):
        planned("old.jpg", "new.png")


@pytest.mark.parametrize("link", [Path.symlink_to, Path.hardlink_to, None])
@pytest.mark.parametrize("existing", ["refuse", "skip"])
def test_a_photo_is_not_replaced_under_whatever_name(link: Callable | None, existing: Existing) -> None:
    make("old.png")
    if link:
        link(Path("new.png"), Path("old.png").absolute())
    with pytest.raises(ZooError, match=r"would overwrite the photo old\.png; give another --output, or --overwrite"):
        planned("old.png", "new.png" if link else "./old.png", existing=existing)


def test_a_photo_may_be_replaced_by_its_own_coloring_if_asked() -> None:
    make("album/a.png", "album/b.png")
    assert planned("album", "album", existing="overwrite") == {
        "album/a.png": ["album/a.png"],
        "album/b.png": ["album/b.png"],
    }


def test_a_photo_is_never_replaced_by_another_one_s_coloring() -> None:
    make("new.jpg", "new-1.jpg")
    with pytest.raises(ZooError, match=r"new-1\.jpg would overwrite the photo new-1\.jpg; give another --output$"):
        planned("new.jpg new-1.jpg", ".", Wanted(samples=2, suffix=".jpg"), "overwrite")


@pytest.mark.parametrize(
    ("values", "output", "said"),
    [
        ("nowhere.jpg", "new.png", "photo nowhere.jpg does not exist"),
        ("old.jpg nowhere.jpg", "out", "photo nowhere.jpg does not exist"),
        ("hollow", "out", "no photo found in hollow; expected files like"),
        ("*.tiff", "out", "no photo found in *.tiff"),
        ("old.jpg", "new", "--output new: unknown suffix ''; expected one of .png, .jpg"),
        ("old.jpg", "new.pdf", "--output new.pdf: unknown suffix '.pdf'; expected one of"),
        ("old.jpg", "nowhere/new.png", "there is no folder nowhere"),
        ("old.jpg", "notes.txt/", "notes.txt is not a folder"),
        ("album", "notes.txt", "notes.txt is not a folder"),
        ("album", "notes.txt/out", "notes.txt is not a folder"),
        ("album", "new.png", "need a folder as --output, not the file new.png"),
        ("*.jpg", "new.png", "need a folder as --output, not the file new.png"),
        ("old.jpg album/a.jpg", "new.png", "need a folder as --output, not the file new.png"),
        ("album", "album", "--output album is the folder of the photos"),
        ("old.jpg", "hollow/", "hollow/old.png cannot be written: there is a folder of that name"),
    ],
)
def test_what_cannot_work_is_refused(values: str, output: str, said: str) -> None:
    make("old.jpg", "album/a.jpg", "notes.txt")
    Path("hollow/old.png").mkdir(parents=True)
    with pytest.raises(ZooError) as refused:
        planned(values, output)
    assert said in str(refused.value)


def test_a_format_does_not_go_with_a_file_that_has_one() -> None:
    make("old.jpg")
    with pytest.raises(ZooError, match="--format is for a folder of results"):
        planned("old.jpg", "new.png", Wanted(suffix=".jpg"))


def test_a_folder_that_may_not_be_written_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    make("old.jpg")
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # the tests may run as root, who may write anywhere
    with pytest.raises(ZooError, match=r"cannot write into out: no permission to write in \."):
        planned("old.jpg", "out/")
