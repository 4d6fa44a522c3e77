"""Folders of photos: splits, groups, people, signatures."""

from __future__ import annotations

import os
from itertools import chain
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.files_of_data import save
from zoo.data import Split
from zoo.data._files import hash_split, split_by_hash
from zoo.errors import ZooError
from zoo.faces.framing import Box
from zoo.registry import datasets

SPLITS: tuple[Split, ...] = get_args(Split)


@given(st.lists(st.text(min_size=1), min_size=1, unique=True), st.floats(0, 0.49), st.floats(0, 0.49), st.randoms())
def test_the_split_of_a_file_depends_on_its_relative_path_alone(
    paths: list[str], val: float, test: float, random: object
) -> None:
    together = split_by_hash(paths, val, test)
    for split, members in together.items():
        for path in members:
            assert hash_split(path, val, test) == split
    assert sorted(chain(*together.values())) == sorted(paths)


def test_composed_and_decomposed_unicode_are_the_same_name() -> None:
    for i in range(20):
        composed, decomposed = f"{i}\u00e9.jpg", f"{i}e\u0301.jpg"  # é
        assert hash_split(composed, 0.3, 0.3) == hash_split(decomposed, 0.3, 0.3)


def test_the_hash_is_the_one_it_has_always_been() -> None:
    found = "".join(hash_split(f"photos/{i}.jpg", 0.2, 0.2)[1] for i in range(30))
    assert found == "raeeeeraarrrrrrearrrarraererar"


def test_one_folder_is_split_by_hash_wherever_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(40):
        save(tmp_path / "a" / f"sub{i % 3}" / f"{i}.png")
    (tmp_path / "a").rename(tmp_path / "b")
    monkeypatch.chdir(tmp_path)
    here = datasets.create("folder", root="b", val_fraction=0.2, test_fraction=0.2)
    there = datasets.create("folder", root=tmp_path / "b", val_fraction=0.2, test_fraction=0.2)
    parts = [here.keys(split) for split in SPLITS]
    assert parts == [there.keys(split) for split in SPLITS]
    assert sorted(chain(*parts)) == sorted(f"sub{i % 3}/{i}.png" for i in range(40))
    assert all(part == sorted(part) for part in parts)


def test_given_split_folders_are_taken_as_they_are(tmp_path: Path) -> None:
    for name in ("train/1.png", "train/deep/2.PNG", "val/3.png", "test/4.png", "other/5.png"):
        save(tmp_path / name)
    folder = datasets.create("folder", root=tmp_path)
    assert folder.keys("train") == ["train/1.png", "train/deep/2.PNG"]
    assert (folder.keys("val"), folder.keys("test")) == (["val/3.png"], ["test/4.png"])


def test_a_missing_split_folder_is_taken_out_of_train(tmp_path: Path) -> None:
    for i in range(60):
        save(tmp_path / "train" / f"{i}.png")
    save(tmp_path / "test" / "x.png")
    folder = datasets.create("folder", root=tmp_path, val_fraction=0.3)
    assert folder.keys("test") == ["test/x.png"]
    assert not set(folder.keys("train")) & set(folder.keys("val"))
    assert len(folder.keys("train")) + len(folder.keys("val")) == 60


def test_files_that_are_no_images_by_name_and_hidden_ones_are_ignored(tmp_path: Path) -> None:
    save(tmp_path / "1.jpg")
    for name in ("notes.txt", "Thumbs.db", "._1.jpg", ".cache/2.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("no image")
    folder = datasets.create("folder", root=tmp_path, val_fraction=0, test_fraction=0)
    assert folder.keys("train") == ["1.jpg"]


def test_files_that_are_left_out_are_named_and_counted(tmp_path: Path) -> None:
    save(tmp_path / "1.jpg")
    for name in ("notes.txt", "2.psd", "3.psd"):
        (tmp_path / name).touch()
    with pytest.warns(UserWarning, match=r"3 files left out \(2 \.psd, 1 \.txt\)"):
        datasets.create("folder", root=tmp_path, val_fraction=0, test_fraction=0).keys("train")


@pytest.mark.parametrize("name", ["valid", "validation"])
def test_a_folder_valid_is_taken_as_val_and_that_is_said(tmp_path: Path, name: str) -> None:
    for file in ("train/1.png", f"{name}/2.png", "test/3.png"):
        save(tmp_path / file)
    with pytest.warns(UserWarning, match=f"{name}/ is taken as val"):
        folder = datasets.create("folder", root=tmp_path)
    assert [folder.keys(split) for split in SPLITS] == [["train/1.png"], [f"{name}/2.png"], ["test/3.png"]]


def test_two_folders_for_val_are_an_error(tmp_path: Path) -> None:
    for file in ("train/1.png", "val/2.png", "valid/3.png"):
        save(tmp_path / file)
    with pytest.raises(ZooError, match="val/ and valid/; expected one of them, for val"):
        datasets.create("folder", root=tmp_path)


def test_links_put_no_test_photo_into_training_and_none_in_twice(tmp_path: Path) -> None:
    for file in ("train/1.png", "val/2.png", "test/3.png"):
        save(tmp_path / file)
    (tmp_path / "train" / "all").symlink_to("..")
    (tmp_path / "train" / "again.png").symlink_to("1.png")
    os.link(tmp_path / "test" / "3.png", tmp_path / "train" / "3.png")
    folder = datasets.create("folder", root=tmp_path)
    assert [folder.keys(split) for split in SPLITS] == [["train/1.png"], ["val/2.png"], ["test/3.png"]]


def grouped(tmp_path: Path, rows: str) -> list[str]:
    for i in range(4):
        save(tmp_path / "photos" / f"{i}.png")
    (tmp_path / "groups.csv").write_text(f"file,group\n{rows}")
    options = {"val_fraction": 0, "test_fraction": 0, "groups": str(tmp_path / "groups.csv")}
    return datasets.create("folder", root=tmp_path / "photos", **options).keys("train")


@pytest.mark.parametrize("rows", ["", "/elsewhere/x.png,young\n"])
def test_groups_that_no_photo_is_in_are_an_error(tmp_path: Path, rows: str) -> None:
    with pytest.raises(ZooError, match=r"group of none of the 4 photos; expected names like '0\.png'"):
        grouped(tmp_path, rows)


def test_groups_that_few_photos_are_in_are_a_warning(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="the group of 1 of 4 photos only"):
        assert len(grouped(tmp_path, "1.png,young\n")) == 4


@pytest.mark.filterwarnings("error")
def test_groups_that_half_of_the_photos_are_in_are_taken_without_a_word(tmp_path: Path) -> None:
    assert len(grouped(tmp_path, "1.png,young\n2.png,old\n")) == 4


def test_who_is_on_a_photo_is_read_off_its_path_below_the_root(tmp_path: Path) -> None:
    for name in ("train/ada/1.png", "train/ada/2.png", "test/bob/1.png"):
        save(tmp_path / name)
    folder = datasets.create("folder", root=tmp_path, val_fraction=0, people=r"^\w+/(\w+)/")
    assert [folder.person(key) for split in ("train", "test") for key in folder.keys(split)] == ["ada", "ada", "bob"]
    assert datasets.create("folder", root=tmp_path).person("train/ada/1.png") is None


def test_people_that_are_on_no_photo_are_an_error(tmp_path: Path) -> None:
    save(tmp_path / "1.png")
    folder = datasets.create("folder", root=tmp_path, people=r"^(\d+)/")
    with pytest.raises(ZooError, match=r"^people='.*' says the person of none of the 1 photos"):
        folder.keys("train")


def test_the_signature_changes_when_a_file_does(tmp_path: Path) -> None:
    save(tmp_path / "1.png")
    options = {"root": tmp_path, "val_fraction": 0, "test_fraction": 0}
    before = datasets.create("folder", **options).signature("train")
    assert datasets.create("folder", **options).signature("train") == before
    os.utime(tmp_path / "1.png", ns=(1, 1))
    assert datasets.create("folder", **options).signature("train") != before


def test_the_signature_changes_when_a_file_is_edited_in_place_with_its_size_and_time_kept(tmp_path: Path) -> None:
    save(tmp_path / "1.bmp")
    options = {"root": tmp_path, "val_fraction": 0, "test_fraction": 0}
    before, stat = datasets.create("folder", **options).signature("train"), os.stat(tmp_path / "1.bmp")
    save(tmp_path / "1.bmp", color=(1, 2, 3))
    os.utime(tmp_path / "1.bmp", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert os.stat(tmp_path / "1.bmp").st_size == stat.st_size
    assert datasets.create("folder", **options).signature("train") != before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"root": "nowhere"}, "'nowhere' is not a folder"),
        ({"val_fraction": 0.7, "test_fraction": 0.4}, "sum of at most 1"),
        ({"val_fraction": -0.1}, "at least 0"),
        ({"face_box": "middle"}, "face_box='middle': expected"),
        ({"face_box": [0, 0, 0]}, "face_box=.*expected"),
        ({"face_box": [0, 0]}, "face_box=.*expected"),
    ],
)
def test_wrong_options_of_a_folder_are_clear_errors(tmp_path: Path, options: dict, message: str) -> None:
    with pytest.raises(ZooError, match=message):
        datasets.create("folder", **{"root": tmp_path, **options})


def test_an_empty_folder_and_splits_without_train_are_clear_errors(tmp_path: Path) -> None:
    with pytest.raises(ZooError, match="no train image below"):
        datasets.create("folder", root=tmp_path).keys("train")
    with pytest.raises(ZooError, match=r"no val image below .*a share larger than val_fraction="):
        datasets.create("folder", root=tmp_path).keys("val")
    (tmp_path / "val").mkdir()
    with pytest.raises(ZooError, match="val/ but no train/"):
        datasets.create("folder", root=tmp_path)


def test_a_given_face_box_is_used_and_none_is_none(tmp_path: Path) -> None:
    assert datasets.create("folder", root=tmp_path, face_box=[-0.1, -0.26, 1.19]).face_box == Box(-0.1, -0.26, 1.19)
    assert datasets.create("folder", root=tmp_path, face_box=None).face_box is None
