"""Datasets: who is in which split, what a file decodes to, and what is said when it cannot be."""

from __future__ import annotations

import os
import struct
import zlib
from itertools import chain
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from zoo.data import BrokenImageError, Split
from zoo.data._files import hash_split, split_by_hash
from zoo.errors import ZooError
from zoo.faces.framing import Box
from zoo.photos.photo import read_photo
from zoo.reading.square import decode
from zoo.registry import datasets

SPLITS: tuple[Split, ...] = get_args(Split)
RED = (200, 40, 30)


def save(path: Path, size: tuple[int, int] = (12, 12), color: tuple[int, int, int] = RED) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, color).save(path)


# --- splits


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


# --- decoding


def test_the_centre_square_is_kept(tmp_path: Path) -> None:
    picture = np.zeros((10, 30, 3), np.uint8)
    picture[:, 10:20] = RED
    Image.fromarray(picture).save(tmp_path / "wide.png")
    np.testing.assert_array_equal(decode(tmp_path / "wide.png"), np.full((10, 10, 3), RED))


def test_the_orientation_that_a_camera_notes_is_applied(tmp_path: Path) -> None:
    picture = np.zeros((8, 8, 3), np.uint8)
    picture[0] = 255  # white on top
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    Image.fromarray(picture).save(tmp_path / "turned.png", exif=exif)
    assert decode(tmp_path / "turned.png")[-1].min() == 255


@pytest.mark.parametrize(
    ("mode", "name", "tolerance"),
    [("P", "p.png", 0), ("CMYK", "c.jpg", 12), ("RGBA", "a.png", 0), ("YCbCr", "y.jpg", 4), ("RGB", "w.webp", 8)],
)
def test_every_kind_of_color_image_decodes_to_srgb(tmp_path: Path, mode: str, name: str, tolerance: int) -> None:
    image = Image.new("RGB", (16, 16), RED)
    (image.quantize(2) if mode == "P" else image.convert(mode)).save(tmp_path / name)
    decoded = decode(tmp_path / name)
    assert (decoded.shape, decoded.dtype) == ((16, 16, 3), np.uint8)
    assert np.abs(decoded.astype(int) - RED).max() <= tolerance


def test_what_is_transparent_is_seen_over_white(tmp_path: Path) -> None:
    Image.new("RGBA", (4, 4), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    Image.new("LA", (4, 4), (0, 128)).save(tmp_path / "half.png")
    assert decode(tmp_path / "clear.png").min() == 255
    assert set(decode(tmp_path / "half.png").flat) <= {126, 127, 128}
    palette = Image.new("P", (4, 4), 1)
    palette.putpalette([0, 0, 0, 9, 9, 9])
    palette.save(tmp_path / "palette.png", transparency=1)
    assert decode(tmp_path / "palette.png").min() == 255


def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path: Path) -> None:
    Image.fromarray(np.full((4, 4), 32896, np.uint16)).save(tmp_path / "16.png")
    assert set(decode(tmp_path / "16.png").flat) == {128}


def test_a_color_profile_is_followed_as_in_coloring(tmp_path: Path) -> None:
    """The profile is sRGB's with red and green in each other's place."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = profile.replace(b"rXYZ", b"tXYZ").replace(b"gXYZ", b"rXYZ").replace(b"tXYZ", b"gXYZ")
    Image.new("RGB", (8, 8), RED).save(tmp_path / "a.png", icc_profile=swapped)
    decoded = decode(tmp_path / "a.png")
    np.testing.assert_allclose(decoded[0, 0].astype(int), (RED[1], RED[0], RED[2]), atol=3)
    np.testing.assert_array_equal(decoded, read_photo(tmp_path / "a.png").rgb)


def huge_png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 10_000, 10_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def torn_jpeg(tmp_path: Path) -> bytes:
    Image.effect_noise((64, 64), 50).save(tmp_path / "whole.jpg")
    return (tmp_path / "whole.jpg").read_bytes()[:900]


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path) -> None:
    cases = {
        "empty.jpg": (b"", "empty file"),
        "text.png": (b"hello", "not an image"),
        "torn.jpg": (torn_jpeg(tmp_path), "truncated"),
        "bomb.png": (huge_png(), "at most"),
    }
    for name, (content, reason) in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BrokenImageError, match=reason):
            decode(tmp_path / name)
    with pytest.raises(BrokenImageError, match="no such file"):
        decode(tmp_path / "gone.jpg")


# --- celeba, lfw


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


# --- synthetic


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
