"""Pictures that are both trained on and scored: they are told, and left out of training where that is asked."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import pytest

from support.composing import plain
from support.pictures import picture
from zoo.benchmark.config.spec import Spec
from zoo.benchmark.runs.identity import Identity
from zoo.benchmark.runs.photos import RunPhotos
from zoo.registry import datasets

GIVEN = {"train": range(12), "val": (3, 4, 20, 21), "test": (5, 22, 23)}  # pictures, by number


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for split, pictures in GIVEN.items():
        (folder / split).mkdir()
        for number in pictures:
            picture(number, 64).save(folder / split / f"{number}.jpg", quality=80 if split == "train" else 50)
    return folder


def opened(root: Path, cache: Path, *overrides: str) -> tuple[RunPhotos, Identity, list[str]]:
    """The photos of a run, what it is, and what is warned of."""
    given = ["data=folder", f"data.root={root}", "data.face_box=null", f"cache_dir={cache}", "image_size=16"]
    spec = Spec.from_config(plain("metrics=[psnr]", *given, *overrides))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = RunPhotos.open(spec, datasets.create("folder", **spec.data.options))
    manifests = {role: cache.manifest for role, cache in found.images.items()}
    return found, Identity(spec, manifests=manifests), [str(warning.message) for warning in told]


def test_pictures_that_are_trained_on_and_scored_are_counted_and_named(root: Path, tmp_path: Path) -> None:
    found, _, told = opened(root, tmp_path, "eval.split=val")
    assert told == [
        "2 of 4 val photos show the same picture as one to train on: 'val/3.jpg' ('train/3.jpg'), 'val/4.jpg' "
        "('train/4.jpg'); data.dedupe=true leaves these out of training"
    ]
    pairs = json.loads(json.dumps(found.facts()))["shared_pictures"]
    assert pairs == {"count": 2, "pairs": [["val/3.jpg", "train/3.jpg"], ["val/4.jpg", "train/4.jpg"]]}


def test_they_are_left_out_of_training_whatever_is_scored_and_no_score_loses_a_photo(
    root: Path, tmp_path: Path
) -> None:
    by_default, usual, _ = opened(root, tmp_path)
    left: set[tuple[str, ...]] = set()
    for scoring in ("eval.split=val", "eval.split=test", "eval.limit=1"):
        found, what, told = opened(root, tmp_path, "data.dedupe=true", scoring)
        left.add(found.images["train"].keys)
        assert [line.partition(",")[0] for line in told] == ["3 photos are left out of training"]
        assert what.training_id != usual.training_id
    assert left == {tuple(sorted(f"train/{i}.jpg" for i in range(12) if i not in (3, 4, 5)))}
    found, _, _ = opened(root, tmp_path, "data.dedupe=true")
    assert found.images["eval"].manifest == by_default.images["eval"].manifest


def test_leaving_out_nothing_is_the_same_run(root: Path, tmp_path: Path) -> None:
    for split in ("val", "test"):
        (tmp_path / "photos" / split).mkdir(parents=True)
        for name in {"val": (20, 21), "test": (22, 23)}[split]:
            (tmp_path / "photos" / split / f"{name}.jpg").hardlink_to(root / split / f"{name}.jpg")
    (tmp_path / "photos" / "train").symlink_to(root / "train")
    one, other = (opened(tmp_path / "photos", tmp_path, f"data.dedupe={asked}") for asked in ("false", "true"))
    assert (one[1].run_id, one[2]) == (other[1].run_id, other[2]) == (one[1].run_id, [])


@pytest.mark.parametrize("options", [["data.val_fraction=0"], []])
def test_a_data_set_may_lack_a_split(root: Path, tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "photos").mkdir()
    for split in ("train", "test"):
        (tmp_path / "photos" / split).symlink_to(root / split)
    found, _, _ = opened(tmp_path / "photos", tmp_path, "data.dedupe=true", *options)
    assert "train/5.jpg" not in found.images["train"].keys


def test_photos_of_a_data_set_that_says_that_all_are_distinct_are_not_compared(root: Path, tmp_path: Path) -> None:
    dataset = datasets.create("folder", root=root, face_box=None)
    given = ["metrics=[psnr]", "data=folder", f"data.root={root}", f"cache_dir={tmp_path}", "image_size=16"]
    spec = Spec.from_config(plain(*given, "data.dedupe=true"))
    dataset.distinct = True
    found = RunPhotos.open(spec, dataset)
    assert (found.shared, found.unlike, len(found.images["train"])) == ((), None, 12)
    assert datasets.get("synthetic").distinct
