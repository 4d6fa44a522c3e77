"""PIL images, arrays and tensors go in and come back as what they were; options are checked."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from support.scenes import photo_of
from zoo.errors import ZooError
from zoo.photos.colorizer import ColorizeOptions, Colorizer
from zoo.photos.interchange import as_picture
from zoo.photos.options import Keywords


def test_a_pil_image_comes_back_as_one(no_faces: None, colorizer: Colorizer) -> None:
    image = colorizer.colorize(Image.fromarray(photo_of(30, 40)).convert("L"), steps=1)
    assert (image.mode, image.size) == ("RGB", (40, 30))


def test_transparency_is_kept(no_faces: None, colorizer: Colorizer) -> None:
    alpha = np.random.default_rng(0).integers(0, 256, (30, 40, 1), np.uint8)
    rgba = np.concatenate([photo_of(30, 40), alpha], axis=2)
    assert np.array_equal(colorizer.colorize(rgba, steps=1)[..., 3:], alpha)
    assert np.array_equal(np.asarray(colorizer.colorize(Image.fromarray(rgba), steps=1))[..., 3:], alpha)


def test_arrays_tensors_and_images_get_the_same_colors(no_faces: None, colorizer: Colorizer) -> None:
    rgb = photo_of(30, 40)
    whole = torch.from_numpy(rgb).permute(2, 0, 1)
    expected = colorizer.colorize(rgb, steps=1)
    assert np.array_equal(np.asarray(colorizer.colorize(Image.fromarray(rgb), steps=1)), expected)
    assert np.array_equal(colorizer.colorize(whole, steps=1).permute(1, 2, 0).numpy(), expected)
    floats = colorizer.colorize(whole / 255, steps=1)
    assert floats.dtype == torch.float32
    assert np.array_equal((floats * 255).round().byte().permute(1, 2, 0).numpy(), expected)


def test_a_grey_picture_becomes_a_color_one(no_faces: None, colorizer: Colorizer) -> None:
    grey = photo_of(30, 40)[..., 0]
    assert colorizer.colorize(grey, steps=1).shape == (30, 40, 3)
    assert colorizer.colorize(torch.from_numpy(grey)[None], steps=1).shape == (3, 30, 40)


def test_a_batch_comes_back_as_a_batch_and_a_list_as_a_list(no_faces: None, colorizer: Colorizer) -> None:
    batch = torch.from_numpy(np.stack([photo_of(20, 30, seed) for seed in range(2)])).permute(0, 3, 1, 2)
    assert colorizer.colorize(batch, steps=1).shape == (2, 3, 20, 30)
    small, large = colorizer.colorize([photo_of(8, 9), photo_of(20, 30)], steps=1)
    assert (small.shape, large.shape) == ((8, 9, 3), (20, 30, 3))
    assert colorizer.colorize([]) == []


def test_a_file_comes_back_as_a_pil_image(no_faces: None, colorizer: Colorizer, tmp_path: Path) -> None:
    Image.fromarray(photo_of(30, 40)).save(tmp_path / "a.png")
    expected = colorizer.colorize(photo_of(30, 40), steps=1)
    entry = next(os.scandir(tmp_path))  # an os.PathLike
    assert isinstance(colorizer.colorize([entry, Image.new("RGB", (8, 9))], steps=1)[1], Image.Image)
    for path in (tmp_path / "a.png", str(tmp_path / "a.png"), entry):
        assert np.array_equal(np.asarray(colorizer.colorize(path, steps=1)), expected)
    with pytest.raises(ZooError, match="no such file"):
        colorizer.colorize("gone.jpg")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_array_of_floats_comes_back_as_one(no_faces: None, colorizer: Colorizer, dtype: type) -> None:
    rgb = photo_of(20, 30)
    colored = colorizer.colorize((rgb / 255).astype(dtype), steps=1)
    assert colored.dtype == dtype
    assert np.array_equal((colored * 255).round().astype(np.uint8), colorizer.colorize(rgb, steps=1))


@pytest.mark.parametrize("dtype", ["<u2", ">u2"])
@pytest.mark.parametrize("channels", [(), (1,), (3,), (4,)])
def test_16_bits_come_back_as_they_were(
    no_faces: None, colorizer: Colorizer, dtype: str, channels: tuple[int, ...]
) -> None:
    eight = np.random.default_rng(0).integers(0, 256, (20, 30, *channels), np.uint8)
    colored = colorizer.colorize((eight * np.uint16(257)).astype(dtype), steps=1)
    assert colored.dtype == dtype
    expected = colorizer.colorize(eight, steps=1)
    assert colored.shape == expected.shape
    off = np.abs(colored / 257 - expected)  # L of a grey photo is told in other steps than those of its 8 bits
    assert off.max() <= (1 if len(channels) == 0 or channels == (1,) else 0)


def test_a_grey_array_of_16_bits_keeps_them() -> None:
    grey = np.arange(0, 65536, 17, np.uint16)[None].repeat(8, 0)
    assert len(np.unique(as_picture(grey).photo.L())) > 3500


def test_a_tensor_of_16_bits_comes_back_as_one(no_faces: None, colorizer: Colorizer) -> None:
    eight = torch.from_numpy(photo_of(20, 30)).permute(2, 0, 1)[None]
    colored = colorizer.colorize(torch.from_numpy(eight.numpy() * np.uint16(257)), steps=1)
    assert colored.dtype == torch.uint16
    assert np.array_equal(colored.numpy(), colorizer.colorize(eight, steps=1).numpy() * np.uint16(257))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_a_tensor_of_floats_comes_back_as_one(no_faces: None, colorizer: Colorizer, dtype: torch.dtype) -> None:
    assert colorizer.colorize(torch.full((1, 8, 9), 0.5, dtype=dtype), steps=1).dtype == dtype


@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy])
def test_a_batch_with_channels_last_comes_back_as_one(no_faces: None, colorizer: Colorizer, kind: Any) -> None:
    batch = np.stack([photo_of(20, 30, seed) for seed in range(2)])
    colored = colorizer.colorize(kind(batch), steps=1)
    assert type(colored) is type(kind(batch))
    assert colored.shape == batch.shape
    assert np.array_equal(np.asarray(colored[1]), colorizer.colorize(batch[1], steps=1))


def test_three_rows_of_three_channels_are_taken_as_channels_first(no_faces: None, colorizer: Colorizer) -> None:
    assert colorizer.colorize(torch.zeros(3, 8, 3), steps=1).shape == (3, 8, 3)


def test_several_samples_are_a_list_per_picture(no_faces: None, colorizer: Colorizer) -> None:
    rgb = photo_of(20, 30)
    assert len(colorizer.colorize(rgb, steps=1, samples=2)) == 2
    assert [len(each) for each in colorizer.colorize([rgb, rgb, rgb], steps=1, samples=2)] == [2, 2, 2]


def test_several_samples_of_a_batch_are_batches(no_faces: None, colorizer: Colorizer) -> None:
    batch = np.stack([photo_of(20, 30, seed) for seed in range(3)])
    drawn = colorizer.colorize(batch, steps=1, samples=2)
    assert [each.shape for each in drawn] == [(3, 20, 30, 3)] * 2
    assert np.array_equal(drawn[1][2], colorizer.colorize(batch[2], steps=1, samples=2)[1])


@pytest.mark.parametrize(
    ("picture", "why"),
    [
        (np.full((4, 4, 3), 255.0), r"floats beyond \[0, 1\] \(255 to 255\); divide"),
        (np.full((4, 4), -0.25), r"floats beyond \[0, 1\] \(-0.25 "),
        (np.full((4, 4), np.nan), "NaN"),
        (np.full((4, 4), np.inf), "infinite"),
        (np.zeros((4, 4), np.int64), "arrays of int64; expected uint8, uint16"),
        (np.zeros((4, 4), bool), "arrays of bool"),
        (np.zeros((4, 4), np.uint32), "arrays of uint32"),
        (np.zeros((4, 4), complex), "arrays of complex128"),
        (np.zeros((4, 4, 2), np.uint8), r"arrays of shape \(4, 4, 2\); expected \(H, W\)"),
        (np.zeros((3, 4, 5), np.uint8), r"shape \(3, 4, 5\).*; channels go last"),
        (np.zeros((2, 3, 4, 5), np.uint8), r"shape \(3, 4, 5\).*; channels go last"),
        (np.zeros((2, 2, 4, 5, 3), np.uint8), r"shape \(2, 2, 4, 5, 3\)"),
        (np.zeros((0, 4, 3), np.uint8), r"shape \(0, 4, 3\): there are none"),
        (np.zeros((0, 4, 5, 3), np.uint8), r"shape \(0, 4, 5, 3\): there are none"),
        (np.zeros(4, np.uint8), r"shape \(4,\)"),
        (torch.zeros(2, 4, 4), r"tensors of shape \(2, 4, 4\); expected \(C, H, W\)"),
        (torch.zeros(4, 4, dtype=torch.uint8), r"tensors of shape \(4, 4\)"),
        (torch.zeros(2, 5, 4, 4), r"tensors of shape \(5, 4, 4\)"),
        (torch.zeros(0, 3, 4, 4), r"shape \(0, 3, 4, 4\): there are none"),
        (torch.zeros(3, 0, 4), "there are none"),
        (torch.full((3, 4, 4), 255.0), r"floats beyond \[0, 1\]"),
        (torch.full((3, 4, 4), float("nan")), "NaN"),
        (torch.zeros(3, 4, 4, dtype=torch.int64), "tensors of torch.int64"),
        (Image.new("RGB", (0, 4)), "0 × 4 pixels"),
        (None, "a NoneType; expected a path"),
        (b"a.jpg", "a bytes; expected a path"),
        ([photo_of(8, 9), torch.zeros(3, 8, 9)], r"several kinds \(Tensor, ndarray\)"),
        ([photo_of(8, 9), np.full((4, 4), np.nan)], "picture 2 of 2: cannot colour floats"),
        ([[photo_of(8, 9)]], "picture 1 of 1: cannot colour a list"),
    ],
)
def test_what_is_no_picture_is_refused_in_one_line(colorizer: Colorizer, picture: Any, why: str) -> None:
    with pytest.raises(ZooError, match=why) as raised:
        colorizer.colorize(picture)
    assert "cannot colour" in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "options",
    [
        {"samples": 0},
        {"steps": 0},
        {"steps": 2.5},
        {"seed": -1},
        {"batch_size": 0},
        {"guidance": float("nan")},
        {"saturation": -0.5},
        {"saturation": float("inf")},
        {"sampler": "dim"},
        {"sampler_options": "eta"},
        {"sampler_options": {"steps": 3}},
        {"time_power": 0.0},
        {"colour": "red"},
    ],
)
def test_an_option_that_cannot_be_is_refused_before_anything_is_done(
    colorizer: Colorizer, options: dict[str, Any]
) -> None:
    with pytest.raises(ZooError, match=next(iter(options))) as raised:
        colorizer.colorize(photo_of(8, 8), **options)
    assert "\n" not in str(raised.value)


def test_every_option_is_a_keyword_that_type_checkers_know() -> None:
    assert {*Keywords.__annotations__} == {field.name for field in fields(ColorizeOptions)} - {"samples"}


@pytest.mark.parametrize(("sampler", "power"), [("ddim", 2.5), ("dpmpp_2m", 1.0), ("ddpm", 1.0)])
def test_each_sampler_has_the_times_of_its_configuration(sampler: str, power: float) -> None:
    assert ColorizeOptions(sampler=sampler).sampling().time_power == power
    assert ColorizeOptions(sampler=sampler, time_power=1.5).sampling().time_power == 1.5
