"""Photos are written whole, with what was known about the picture."""

from __future__ import annotations

import resource
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image
from skimage.data import astronaut

from support.pictures import RGB, saved
from zoo.errors import ZooError
from zoo.photos.photo import Photo, UnwritablePhotoError, read_photo, write_photo


@pytest.mark.parametrize("suffix", [".png", ".tif", ".TIFF", ".webp"])
def test_what_is_written_without_loss_comes_back(tmp_path: Path, suffix: str) -> None:
    alpha = np.arange(240, dtype=np.uint8).reshape(12, 20)
    write_photo(tmp_path / f"a{suffix}", RGB, Photo(RGB, alpha=alpha))
    photo = read_photo(tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(photo.rgb, RGB)
    np.testing.assert_array_equal(photo.alpha, alpha)


def test_a_jpeg_puts_transparency_over_white_and_keeps_colors_fine(tmp_path: Path) -> None:
    alpha = np.zeros((512, 512), np.uint8)
    alpha[:, 256:] = 255
    write_photo(tmp_path / "a.jpg", astronaut(), Photo(astronaut(), alpha=alpha))
    back = read_photo(tmp_path / "a.jpg").rgb.astype(int)
    assert back[:, :240].min() >= 250
    assert np.abs(back - astronaut())[:, 272:].mean() < 2


def with_metadata() -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Model] = "Camera"
    inner = exif.get_ifd(ExifTags.IFD.Exif)
    inner[ExifTags.Base.DateTimeOriginal] = "2020:01:02 03:04:05"
    inner[ExifTags.Base.MakerNote] = b"PREVIEW" * 9
    inner[ExifTags.Base.ExifImageWidth] = 20
    exif.get_ifd(ExifTags.IFD.GPSInfo).update({ExifTags.GPS.GPSLatitudeRef: "N"})
    return exif


@pytest.mark.parametrize("source", ["jpg", "png", "tif", "webp"])
@pytest.mark.parametrize("target", ["jpg", "png", "tif", "webp"])
def test_metadata_is_kept_and_orientation_is_upright(tmp_path: Path, source: str, target: str) -> None:
    exif = with_metadata().tobytes()
    photo = read_photo(saved(tmp_path / f"a.{source}", Image.fromarray(RGB), exif=exif, dpi=(300, 300)))
    write_photo(tmp_path / f"b.{target}", photo.rgb, photo)
    with Image.open(tmp_path / f"b.{target}") as image:
        assert image.size == (12, 20)  # turned, once
        kept = image.getexif()
        assert kept[ExifTags.Base.Model] == "Camera"
        assert kept.get(ExifTags.Base.Orientation, 1) == 1
        assert kept.get_ifd(ExifTags.IFD.Exif) == {ExifTags.Base.DateTimeOriginal: "2020:01:02 03:04:05"}
        assert kept.get_ifd(ExifTags.IFD.GPSInfo) == {ExifTags.GPS.GPSLatitudeRef: "N"}
        if "webp" not in (source, target):  # it has no resolution
            assert image.info["dpi"] == pytest.approx((300, 300), abs=0.01)


def test_a_thumbnail_of_the_old_picture_is_not_kept(tmp_path: Path) -> None:
    thumbnail = b"THUMBNAIL" * 3
    entry = struct.Struct("<HHII")
    ifd0 = struct.pack("<H", 1) + entry.pack(ExifTags.Base.Model, 2, 4, 0x006D6143) + struct.pack("<I", 26)
    ifd1 = struct.pack("<H", 2) + entry.pack(0x201, 4, 1, 56) + entry.pack(0x202, 4, 1, len(thumbnail)) + bytes(4)
    exif = b"Exif\0\0II*\0" + struct.pack("<I", 8) + ifd0 + ifd1 + thumbnail
    photo = read_photo(saved(tmp_path / "a.jpg", Image.fromarray(RGB), exif=exif))
    write_photo(tmp_path / "b.jpg", photo.rgb, photo)
    assert b"THUMBNAIL" in (tmp_path / "a.jpg").read_bytes()
    written = (tmp_path / "b.jpg").read_bytes()
    assert b"Cam" in written
    assert b"THUMBNAIL" not in written


def test_exif_that_a_jpeg_cannot_hold_is_left_out(tmp_path: Path) -> None:
    write_photo(tmp_path / "a.jpg", RGB, Photo(RGB, info={"exif": b"Exif\0\0" + bytes(70_000)}))
    assert read_photo(tmp_path / "a.jpg").rgb.shape == RGB.shape


def test_unknown_suffixes_name_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ZooError, match=r"unknown suffix '\.xyz'; expected one of \.png, \.jpg"):
        write_photo(tmp_path / "a.xyz", RGB)


def test_a_missing_folder_is_an_error_and_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(ZooError, match="there is no folder"):
        write_photo(tmp_path / "new" / "a.png", RGB)
    assert list(tmp_path.iterdir()) == []


def test_a_photo_too_large_for_its_format_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZooError, match="WEBP ends at 16383 pixels a side"):
        write_photo(tmp_path / "a.webp", np.zeros((1, 16_384, 3), np.uint8))


@pytest.mark.parametrize("dpi", [(4294967295, 4294967295), (70_000, 300)])
@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp"])
def test_a_resolution_that_cannot_be_is_dropped(tmp_path: Path, dpi: tuple[int, int], suffix: str) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.XResolution], exif[ExifTags.Base.YResolution] = dpi
    exif[ExifTags.Base.ResolutionUnit] = 2
    photo = read_photo(saved(tmp_path / "a.jpg", Image.fromarray(RGB), exif=exif.tobytes()))
    assert "dpi" not in photo.info
    write_photo(tmp_path / f"b.{suffix}", photo.rgb, photo)


def test_metadata_that_a_format_cannot_hold_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UnwritablePhotoError, match=r"a\.png: PNG cannot hold it"):
        write_photo(tmp_path / "a.png", RGB, Photo(RGB, info={"dpi": (2**40, 2**40)}))


@contextmanager
def full_disk() -> Iterator[None]:
    """No file may grow beyond 4 kB: the system's own refusal, in the middle of a file. Not for longer than the call:
    pytest's own output may be a file."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp"])
def test_a_full_disk_is_one_line_and_leaves_the_old_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(b"old")
    with pytest.raises(ZooError, match=r"cannot write .*: File too large"), full_disk():
        write_photo(path, np.random.default_rng(1).integers(0, 256, (99, 99, 3), dtype=np.uint8))
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"old"
