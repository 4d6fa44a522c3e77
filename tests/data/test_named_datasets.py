"""Data sets with a layout of their own, and the painted ones."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from support.files_of_data import save
from zoo.data import Split
from zoo.errors import ZooError
from zoo.faces.framing import Box
from zoo.registry import datasets

SPLITS: tuple[Split, ...] = get_args(Split)


def test_celeba_reads_the_official_layout_and_splits(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        save(tmp_path / "celeba" / "img_align_celeba" / f"00000{number}.jpg", size=(178, 218))
    table = tmp_path / "celeba" / "list_eval_partition.txt"
    table.write_text("000001.jpg 0\n000002.jpg 1\n000003.jpg 2\n")
    for root in (tmp_path, tmp_path / "celeba"):
        celeba = datasets.create("celeba", root=root)
        assert [celeba.keys(split) for split in SPLITS] == [[f"img_align_celeba/00000{n}.jpg"] for n in (1, 2, 3)]
        assert celeba.load(celeba.keys("val")[0]).shape == (178, 178, 3)
    assert celeba.face_box == Box(0.17, 0.21, 0.66)
    assert celeba.person("img_align_celeba/000001.jpg") is None
    (tmp_path / "celeba" / "identity_CelebA.txt").write_text("000001.jpg 2880\n000003.jpg 2880\n")
    celeba = datasets.create("celeba", root=tmp_path)
    assert [celeba.person(key) for split in SPLITS for key in celeba.keys(split)] == ["2880", None, "2880"]
    (tmp_path / "celeba" / "identity_CelebA.txt").write_text("000001.jpg\n")
    with pytest.raises(
        ZooError, match=r"identity_CelebA\.txt, line 1: '000001.jpg'; expected a file name and a number"
    ):
        datasets.create("celeba", root=tmp_path)
    (tmp_path / "celeba" / "identity_CelebA.txt").unlink()
    table.write_text("000001.jpg zero\n")
    with pytest.raises(ZooError, match="line 1"):
        datasets.create("celeba", root=tmp_path).keys("train")


def test_celeba_says_what_is_missing_and_what_a_failed_download_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ZooError, match=r"img_align_celeba/ and list_eval_partition.txt .* download=true"):
        datasets.create("celeba", root=tmp_path)

    def offline(*args: object, **options: object) -> None:
        raise OSError("no network\nand a long tale")

    monkeypatch.setattr("torchvision.datasets.CelebA.__init__", offline)
    with pytest.raises(ZooError, match=r"could not be downloaded \(no network\); fetch img_align_celeba.zip") as error:
        datasets.create("celeba", root=tmp_path, download=True)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("below", ["", "lfw_funneled", "lfw_home/lfw_funneled"])
def test_nobody_of_lfw_is_in_two_splits(tmp_path: Path, below: str) -> None:
    people = [f"Person_{i}" for i in range(30)]
    for person in people:
        for number in (1, 2):
            save(tmp_path / below / person / f"{person}_000{number}.jpg")
    lfw = datasets.create("lfw", root=tmp_path, download=False, val_fraction=0.3, test_fraction=0.3)
    who = [{key.split("/")[0] for key in lfw.keys(split)} for split in SPLITS]
    assert sum(map(len, who)) == 30
    assert sum(len(lfw.keys(split)) for split in SPLITS) == 60
    assert {lfw.person(key) for key in lfw.keys("train")} == who[0]


def test_lfw_offline_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(**options: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr("sklearn.datasets.fetch_lfw_people", offline)
    with pytest.raises(ZooError, match=r"could not be downloaded \(OSError: no network\); give a folder"):
        datasets.create("lfw", root=tmp_path)
    with pytest.raises(ZooError, match=r"download=false"):
        datasets.create("lfw", root=tmp_path, download=False)


def test_a_synthetic_face_depends_on_seed_split_and_number_alone() -> None:
    few, many = datasets.create("synthetic", n_train=3), datasets.create("synthetic", n_train=50)
    other = datasets.create("synthetic", seed=1)
    face = few.load("train/0000002")
    np.testing.assert_array_equal(face, many.load(many.keys("train")[2]))
    for different in (few.load("train/0000001"), few.load("val/0000002"), other.load("train/0000002")):
        assert not np.array_equal(face, different)


def test_synthetic_faces_are_the_same_on_every_machine() -> None:
    faces = datasets.create("synthetic", size=40)
    sums = [int(faces.load(key).astype(np.int64).sum()) for key in faces.keys("test")[:4]]
    assert sums == [481729, 771795, 611423, 693537]


@pytest.mark.parametrize("size", [32, 96, 130])
def test_synthetic_faces_have_the_size_and_range_asked_for(size: int) -> None:
    faces = datasets.create("synthetic", n_train=2, size=size)
    image = faces.load(faces.keys("train")[0])
    assert (image.shape, image.dtype) == ((size, size, 3), np.uint8)
    assert len(faces.keys("train")) == 2


def test_what_l_shows_tells_most_of_a_synthetic_color_but_not_all() -> None:
    """The cheek's chroma, fitted from its lightness: most of the variance, not all of it."""
    from skimage.color import rgb2lab

    faces = datasets.create("synthetic", size=48)
    x, y = (faces.face_box.x0 + 0.5 * faces.face_box.side, faces.face_box.y0 + 0.72 * faces.face_box.side)
    at = (slice(int(48 * y) - 1, int(48 * y) + 1), slice(int(48 * x) - 1, int(48 * x) + 1))
    lab = np.array([rgb2lab(faces.load(key))[at].mean(axis=(0, 1)) for key in faces.keys("train")[:150]])
    fit = np.polyval(np.polyfit(lab[:, 0], lab[:, 2], 3), lab[:, 0])
    explained = 1 - np.var(lab[:, 2] - fit) / np.var(lab[:, 2])
    assert 0.5 < explained < 0.99


def test_impossible_synthetic_options_are_clear_errors() -> None:
    with pytest.raises(ZooError, match="size=8"):
        datasets.create("synthetic", size=8)
    with pytest.raises(ZooError, match="expected 1 or more"):
        datasets.create("synthetic", n_val=0)
