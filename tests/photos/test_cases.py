"""Files from public bug reports, where the folder with them is at hand; the rest of the tests make their own like."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import inference
from zoo.errors import ZooError
from zoo.photos.photo import read_photo, write_photo
from zoo.reading.kinds import suffixes
from zoo.reading.square import decode
from zoo.registry import datasets

CASES = Path(os.environ.get("ZOO_TEST_CASES", ""))

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        "ZOO_TEST_CASES" not in os.environ, reason="ZOO_TEST_CASES names no folder of inputs that failed"
    ),
]


def test_a_resolution_that_png_cannot_hold_is_dropped(tmp_path: Path) -> None:
    photo = read_photo(CASES / "exif_gps.jpg")
    write_photo(tmp_path / "a.png", photo.rgb, photo)
    assert "dpi" not in Image.open(tmp_path / "a.png").info
    assert np.array_equal(read_photo(tmp_path / "a.png").rgb, photo.rgb)


def test_12_bits_are_as_light_as_8() -> None:
    deep, shallow = read_photo(CASES / "hopper12.tif").rgb, read_photo(CASES / "hopper8.tif").rgb
    assert abs(deep.mean() - shallow.mean()) < 1
    assert abs(decode(CASES / "hopper12.tif").mean() - 85) < 3


def test_both_readers_follow_a_profile() -> None:
    wide, srgb = (decode(CASES / name).astype(int) for name in ("face_p3.png", "face_srgb.png"))
    assert np.abs(wide - srgb).mean() < 2
    np.testing.assert_array_equal(wide, read_photo(CASES / "face_p3.png").rgb)


@pytest.mark.parametrize("name", ["test-card-lossy-tiled.jp2", "hopper.pnm"])
def test_kinds_that_open_alone_are_looked_at_in_folders(name: str) -> None:
    assert Path(name).suffix in suffixes()
    assert decode(CASES / name).mean() > 20


def test_an_album_goes_on_past_a_photo_that_its_format_cannot_hold(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "album").mkdir()
    (tmp_path / "album" / "a.jpg").symlink_to(CASES / "panorama17000.jpg")
    Image.new("RGB", (40, 30), (90, 80, 70)).save(tmp_path / "album" / "b.png")
    arguments = ["--image-path", str(tmp_path / "album"), "--output", str(tmp_path / "out"), "--format", "webp"]
    assert inference.main([*arguments, "--no-detect", "--steps", "1", "--skip-existing"]) == 1
    assert "a.webp: WEBP ends at 16383 pixels" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.webp"]


@pytest.mark.parametrize("name", ["groups_abs.csv", "groups_header.csv"])
def test_groups_that_match_no_photo_are_an_error(tmp_path: Path, name: str) -> None:
    for i in range(4):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{i}.png")
    folder = datasets.create("folder", root=tmp_path, groups=str(CASES / name))
    with pytest.raises(ZooError, match="group of none of the 4 photos"):
        folder.keys("train")
