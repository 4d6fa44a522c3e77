"""Photos of any kind are read upright, in sRGB, as light as they are."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms
from skimage.color import rgb2lab
from skimage.data import astronaut

from support.pictures import RGB, saved
from zoo.errors import ZooError
from zoo.photos.photo import Photo, read_photo

RAMP = np.linspace(0, 65535, 12 * 20).astype(np.uint16).reshape(12, 20)

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def l_star(photo: Photo) -> np.ndarray:
    return (photo.L()[0, 0].numpy() + 1) * 50


def swapped_profile() -> bytes:
    """sRGB whose red and green have changed places."""
    return SRGB.replace(b"rXYZ", b"tXYZ").replace(b"gXYZ", b"rXYZ").replace(b"tXYZ", b"gXYZ")


def linear_grey_profile() -> bytes:
    """A grey ICC profile (version 2) of gamma 1."""
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    curve = b"curv" + bytes(4) + struct.pack(">I", 0)
    tags = struct.pack(">I4sII4sII", 2, b"wtpt", 156, len(white), b"kTRC", 156 + len(white), len(curve))
    head = struct.pack(">I4sI4s4s4s", 128 + len(tags + white + curve), bytes(4), 0x02100000, b"mntr", b"GRAY", b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + tags + white + curve


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp"])
def test_a_photo_is_turned_upright(tmp_path: Path, orientation: int, suffix: str) -> None:
    upright = Image.fromarray(np.kron(np.arange(0, 240, 40, dtype=np.uint8).reshape(2, 3), np.ones((16, 16), np.uint8)))
    turn = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}.get(orientation)  # the inverse, as Pillow numbers them
    lying = upright if turn is None else upright.transpose(Image.Transpose(turn))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    photo = read_photo(saved(tmp_path / f"a.{suffix}", lying.convert("RGB"), exif=exif.tobytes()))
    np.testing.assert_allclose(photo.rgb[8::16, 8::16, 0].astype(int), [[0, 40, 80], [120, 160, 200]], atol=12)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK", "YCbCr"])
def test_every_mode_is_read_as_srgb(tmp_path: Path, mode: str) -> None:
    image = Image.new("RGB", (8, 8), (200, 60, 30)).convert(mode)
    path = tmp_path / ("a.jpg" if mode in ("CMYK", "YCbCr") else "a.tif")
    photo = read_photo(saved(path, image))
    np.testing.assert_allclose(photo.rgb.astype(int), np.asarray(image.convert("RGB")), atol=4)
    assert photo.alpha is None


def test_lab_is_read_as_srgb(tmp_path: Path) -> None:
    red = (138, 128 + 81, 128 + 70)  # under D50, as in files
    photo = read_photo(saved(tmp_path / "a.tif", Image.new("LAB", (8, 8), red)))
    np.testing.assert_allclose(photo.rgb[0, 0].astype(int), (255, 0, 0), atol=12)


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_alpha_is_told_apart_and_colors_below_it_stay(tmp_path: Path, mode: str) -> None:
    image = Image.fromarray(RGB).convert(mode[:-1])
    alpha = np.arange(240, dtype=np.uint8).reshape(12, 20)
    expected = np.asarray(image.convert("RGB"))
    image.putalpha(Image.fromarray(alpha))
    photo = read_photo(saved(tmp_path / "a.png", image))
    assert image.mode == mode
    np.testing.assert_array_equal(photo.alpha, alpha)
    np.testing.assert_array_equal(photo.rgb, expected)


def test_a_transparent_entry_of_a_palette_becomes_alpha(tmp_path: Path) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    photo = read_photo(saved(tmp_path / "a.png", image, transparency=1))
    assert photo.alpha is not None
    assert photo.alpha.tolist() == [[255, 0]]
    assert photo.rgb[0, 0].tolist() == [10, 20, 30]


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bit_greys_keep_their_lightness(tmp_path: Path, suffix: str) -> None:
    photo = read_photo(saved(tmp_path / f"a.{suffix}", Image.fromarray(RAMP)))
    expected = rgb2lab(np.repeat(RAMP[..., None] / 65535, 3, axis=2))[..., 0]
    np.testing.assert_allclose(l_star(photo), expected, atol=5e-3)
    np.testing.assert_array_equal(photo.rgb[..., 0], np.rint(RAMP / 257))
    assert not photo.has_color


def test_16_bit_greys_whose_0_is_white_are_turned_round(tmp_path: Path) -> None:
    photo = read_photo(saved(tmp_path / "a.tif", Image.fromarray(RAMP), tiffinfo={262: 0}))
    np.testing.assert_array_equal(photo.rgb[..., 0], np.rint((65535 - RAMP) / 257))


def test_floats_are_taken_to_reach_from_0_to_1(tmp_path: Path) -> None:
    photo = read_photo(saved(tmp_path / "a.tif", Image.fromarray((RAMP / 65535).astype(np.float32))))
    np.testing.assert_array_equal(photo.rgb[..., 0], np.rint(RAMP / 257))


@pytest.mark.parametrize("values", [np.float32([[0, 255]]), np.float32([[0, np.nan]]), np.int32([[0, 70_000]])])
def test_pixels_of_unknown_range_are_refused(tmp_path: Path, values: np.ndarray) -> None:
    with pytest.raises(ZooError, match=r"a\.tif: .* range is not known"):
        read_photo(saved(tmp_path / "a.tif", Image.fromarray(values)))


def test_a_color_profile_is_followed(tmp_path: Path) -> None:
    image = Image.new("RGB", (8, 8), (220, 60, 30))
    photo = read_photo(saved(tmp_path / "a.png", image, icc_profile=swapped_profile()))
    np.testing.assert_allclose(photo.rgb[0, 0].astype(int), (60, 220, 30), atol=3)


def test_a_photo_that_says_it_is_srgb_keeps_its_bytes(tmp_path: Path) -> None:
    photo = read_photo(saved(tmp_path / "a.png", Image.fromarray(RGB), icc_profile=SRGB))
    np.testing.assert_array_equal(photo.rgb, RGB)


@pytest.mark.parametrize("bits", [8, 16])
def test_the_gamma_of_a_grey_profile_is_followed(tmp_path: Path, bits: int) -> None:
    grey = np.full((8, 8), 55, np.uint8) if bits == 8 else np.full((8, 8), 55 * 257, np.uint16)
    photo = read_photo(saved(tmp_path / "a.png", Image.fromarray(grey), icc_profile=linear_grey_profile()))
    np.testing.assert_allclose(photo.rgb.astype(int), 128, atol=2)  # 0.2157 linear
    np.testing.assert_allclose(l_star(photo), 53.6, atol=0.9)


@pytest.mark.parametrize("profile", [b"no profile at all" * 20, SRGB[:200], linear_grey_profile()])
def test_a_profile_that_cannot_be_used_is_ignored_with_a_warning(tmp_path: Path, profile: bytes) -> None:
    path = saved(tmp_path / "a.png", Image.fromarray(RGB), icc_profile=profile)
    with pytest.warns(UserWarning, match=r"profile .* ignored"):
        photo = read_photo(path)
    np.testing.assert_array_equal(photo.rgb, RGB)


def test_broken_exif_is_left_out_with_a_warning(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Image.fromarray(RGB), exif=b"Exif\0\0no exif at all")
    with pytest.warns(UserWarning, match="EXIF data is broken"):
        photo = read_photo(path)
    assert "exif" not in photo.info


def test_the_first_of_several_frames_is_read(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (4, 4), color) for color in ("red", "blue")]
    photo = read_photo(saved(tmp_path / "a.tif", frames[0], save_all=True, append_images=frames[1:]))
    assert photo.rgb[0, 0].tolist() == [255, 0, 0]


def test_bands_of_lightness_make_the_whole() -> None:
    for photo in (Photo.from_array(RGB), Photo.from_array(RAMP)):
        bands = np.concatenate([photo.L(slice(0, 5)).numpy(), photo.L(slice(5, 12)).numpy()], axis=2)
        np.testing.assert_allclose(bands, photo.L().numpy(), atol=1e-6)


def test_lightness_is_that_of_scikit_image() -> None:
    np.testing.assert_allclose(l_star(Photo.from_array(RGB)), rgb2lab(RGB)[..., 0], atol=5e-3)


def test_color_is_told_from_grey() -> None:
    face = astronaut()
    grey = np.repeat(face[..., 1:2], 3, axis=2)
    assert Photo.from_array(face).has_color
    assert not Photo.from_array(grey).has_color
    assert not Photo.from_image(Image.fromarray(face).convert("L")).has_color
