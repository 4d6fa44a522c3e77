"""Photos of a folder that show one picture fall into one split, and each is looked at once."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from support.pictures import picture
from zoo.data._files import split_by_hash
from zoo.data.folder import Folder

OPTIONS: dict[str, Any] = {"val_fraction": 0.3, "test_fraction": 0.3, "face_box": None}
SPLITS = ("train", "val", "test")


def save(path: Path, seed: int, size: int = 64) -> None:
    """One of as many pictures as there are seeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture(seed, size).save(path)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """15 pictures; of each a large and a small photo, under names that have nothing to do with each other."""
    for i in range(15):
        save(tmp_path / "photos" / f"{i}.png", i)
        save(tmp_path / "photos" / "again" / f"x{7 * i}.png", i, 128)
    return tmp_path / "photos"


def splits(folder: Folder) -> dict[str, list[str]]:
    return {split: folder.keys(split) for split in SPLITS}  # type: ignore[arg-type]


def test_photos_of_one_picture_are_in_one_split(photos: Path) -> None:
    found = splits(Folder(photos, **OPTIONS))
    assert all(found.values())
    assert len([*chain(*found.values())]) == 30
    for i in range(15):
        one, other = ([s for s in SPLITS if name in found[s]] for name in (f"{i}.png", f"again/x{7 * i}.png"))
        assert one == other
    alone = split_by_hash([*chain(*found.values())], 0.3, 0.3)
    assert {name: sorted(names) for name, names in alone.items()} != found  # by their names alone they were torn apart


def test_a_photo_without_copies_is_where_its_name_says(tmp_path: Path) -> None:
    for i in range(20):
        save(tmp_path / f"{i}.png", i)
    expected = split_by_hash([f"{i}.png" for i in range(20)], 0.3, 0.3)
    assert splits(Folder(tmp_path, **OPTIONS)) == {split: sorted(names) for split, names in expected.items()}


def test_photos_of_given_splits_stay_where_they_are(photos: Path) -> None:
    (photos / "again").rename(photos / "test")
    (photos / "train").mkdir()
    for file in photos.glob("*.png"):
        file.rename(photos / "train" / file.name)
    assert len(Folder(photos, val_fraction=0, face_box=None).keys("test")) == 15


def looked(folder: Folder, cache: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The photos that are opened to split the folder."""
    opened: list[str] = []
    load = Folder.load
    monkeypatch.setattr(Folder, "load", lambda self, key: (opened.append(key), load(self, key))[1])
    folder.prepare(cache)
    folder.keys("train")
    monkeypatch.undo()
    return opened


def test_each_photo_is_looked_at_once_and_again_when_it_changed(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    assert len(looked(Folder(photos, **OPTIONS), cache, monkeypatch)) == 30
    assert looked(Folder(photos, **OPTIONS), cache, monkeypatch) == []
    save(photos / "3.png", 99)
    save(photos / "new.png", 100)
    assert sorted(looked(Folder(photos, **OPTIONS), cache, monkeypatch)) == ["3.png", "new.png"]
    prepared, fresh = Folder(photos, **OPTIONS), Folder(photos, **OPTIONS)
    prepared.prepare(cache)
    assert splits(prepared) == splits(fresh)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 0}', '{"format": 1, "photos": 3}'])
def test_what_was_kept_and_is_damaged_is_made_again(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    cache = tmp_path / "cache"
    looked(Folder(photos, **OPTIONS), cache, monkeypatch)
    (kept,) = cache.iterdir()
    kept.write_text(content)
    assert len(looked(Folder(photos, **OPTIONS), cache, monkeypatch)) == 30


def test_a_photo_that_cannot_be_read_is_alone(photos: Path) -> None:
    for name in ("torn1.png", "torn2.png"):
        (photos / name).write_bytes(b"no picture")
    found = splits(Folder(photos, **OPTIONS))
    expected = split_by_hash(["torn1.png", "torn2.png"], 0.3, 0.3)
    assert all(name in found[split] for split, names in expected.items() for name in names)
