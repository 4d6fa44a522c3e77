"""Sheets and animations show what they were given, at sizes that can be looked at."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from zoo.errors import ZooError
from zoo.photos.image_grid import animation, comparison, grey, image_grid, reduced, samples_grid, save_animation


def plain(value: int, height: int = 100, width: int = 120) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def test_pictures_go_in_rows_below_their_titles() -> None:
    shown = np.asarray(image_grid([plain(10), plain(20), plain(30)], ["a", "b", ""], columns=2))
    assert shown.shape == (16 + 100 + 2 + 100, 120 + 2 + 120, 3)  # the second row has no title, so no head
    assert (shown[16:116, :120] == 10).all()
    assert (shown[16:116, 122:] == 20).all()
    assert (shown[118:, :120] == 30).all()
    assert (shown[118:, 122:] == 255).all()


def test_small_pictures_are_enlarged_by_a_whole_factor() -> None:
    small = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    shown = np.asarray(image_grid([small], [""], columns=1))
    assert np.array_equal(shown[::32, ::32], small)


@pytest.mark.parametrize("size", [(1, 1), (3, 5000), (5000, 3), (1500, 1100)])
def test_no_grid_is_larger_than_can_be_looked_at(size: tuple[int, int]) -> None:
    photo = plain(90, *size)
    for shown in (comparison(photo, photo, has_color=True), samples_grid(photo, [photo] * 8)):
        assert max(shown.shape) < 4400


def test_reducing_averages_and_keeps_small_pictures_as_they_are() -> None:
    stripes = np.tile(np.array([0, 100], np.uint8)[None, :, None], (64, 32, 3))
    assert (reduced(stripes, 32) == 50).all()
    assert reduced(stripes, 64) is stripes


def test_grey_leaves_grey_as_it_is() -> None:
    ramp = np.arange(256, dtype=np.uint8)[None, :, None].repeat(3, axis=2)
    assert np.array_equal(grey(ramp), ramp)


def test_grey_is_as_light_as_the_color() -> None:
    assert grey(np.array([[[0, 0, 255]]], np.uint8)).ravel().tolist() == [76, 76, 76]  # blue has Y = 0.0722


def test_frames_of_an_animation_have_the_size_of_its_steps() -> None:
    frames = animation(plain(90), [plain(10, 8, 9), plain(20, 8, 9)], plain(30))
    assert [frame.shape for frame in frames] == [(8, 9, 3)] * 4
    assert [int(frame[0, 0, 0]) for frame in frames] == [90, 10, 20, 30]


def test_an_animation_on_a_full_disk_is_one_error_and_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ZooError, match="No space left on device"):
        save_animation(tmp_path / "a.gif", [plain(1), plain(2)])
    assert list(tmp_path.iterdir()) == []
