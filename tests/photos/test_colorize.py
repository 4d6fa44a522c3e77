"""The Colorizer: whole photos in, colour photos of the same lightness out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from support.models import tiny_model
from support.scenes import PaintingModel, ab_of, lightness_error, photo_of, put_faces
from zoo.faces.viewport import Viewport
from zoo.photos.colorizer import NO_FACE, ColorizeOptions, Colorizer
from zoo.photos.photo import Photo


@pytest.mark.parametrize("shape", [(37, 53), (64, 64), (1, 1), (1, 300), (700, 3), (1100, 40)])
def test_size_and_lightness_are_those_of_the_photo(
    no_faces: None, colorizer: Colorizer, shape: tuple[int, int]
) -> None:
    photo = photo_of(*shape)
    colored = colorizer.colorize(photo, steps=2, vivid=True)
    assert colored.shape == photo.shape
    assert lightness_error(photo, colored) < 0.25


def test_lightness_is_kept_where_faces_are_pasted_too(monkeypatch: pytest.MonkeyPatch, colorizer: Colorizer) -> None:
    put_faces(monkeypatch, Viewport(20 + 10j, 30 + 10j))
    photo = np.random.default_rng(0).integers(0, 256, (80, 100, 3), np.uint8)  # also colours at the ends of the range
    assert lightness_error(photo, colorizer.colorize(photo, steps=2, vivid=True)) < 0.25


def test_the_same_photo_options_and_model_give_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    put_faces(monkeypatch, Viewport(10 + 10j, 30 + 5j))
    photo = photo_of(60, 90)
    first = Colorizer(tiny_model().eval()).colorize(photo, steps=2, samples=2)
    torch.manual_seed(99)
    second = Colorizer(tiny_model().eval()).colorize(photo, steps=2, samples=2)
    assert all(np.array_equal(a, b) for a, b in zip(first, second))


def test_another_seed_gives_other_colors(no_faces: None, colorizer: Colorizer) -> None:
    photo = photo_of(40, 50)
    one, two = (colorizer.colorize(photo, seed=seed, vivid=True) for seed in (0, 1))
    assert not np.array_equal(one, two)


def test_a_photo_does_not_depend_on_those_beside_it(monkeypatch: pytest.MonkeyPatch, colorizer: Colorizer) -> None:
    put_faces(monkeypatch, Viewport(5 + 5j, 30 + 5j), Viewport(40 + 5j, 20 + 0j))
    photos = [photo_of(60, 90, seed) for seed in range(3)]
    together = colorizer.colorize(photos, steps=2)
    for photo, colored in zip(photos, together):
        assert np.array_equal(colorizer.colorize(photo, steps=2), colored)


def test_samples_differ_and_their_spread_is_told(no_faces: None, colorizer: Colorizer) -> None:
    photo = Photo.from_array(photo_of(40, 50))
    (colored,) = colorizer.colorize_photos([photo], ColorizeOptions(samples=3, steps=2))
    assert len({rgb.tobytes() for rgb in colored.samples}) == 3
    assert colored.spread is not None
    assert (colored.spread.shape, colored.spread.dtype) == ((40, 50), np.float32)
    shown = np.std([ab_of(rgb) * 110 for rgb in colored.samples], axis=0, ddof=1).mean(axis=-1)
    assert np.median(np.abs(shown - colored.spread)) < 1  # what differs is rounding, and the gamut


def test_one_sample_has_no_spread(no_faces: None, colorizer: Colorizer) -> None:
    (colored,) = colorizer.colorize_photos([Photo.from_array(photo_of(20, 20))], ColorizeOptions(steps=1))
    assert colored.spread is None


def test_saturation_scales_the_chroma_and_none_is_grey(no_faces: None) -> None:
    colorizer = Colorizer(PaintingModel())  # type: ignore[arg-type]
    photo = photo_of(40, 60)
    full, half, none = (ab_of(colorizer.colorize(photo, saturation=s))[..., 1].mean() for s in (1, 0.5, 0))
    assert half == pytest.approx(full / 2, rel=0.05)
    assert none == pytest.approx(0, abs=1e-3)
    grey = colorizer.colorize(photo, saturation=0)
    assert (grey == grey[..., :1]).all()


def test_without_a_face_a_note_says_so(no_faces: None, colorizer: Colorizer) -> None:
    photo = Photo.from_array(photo_of(30, 30))
    assert colorizer.colorize_photos([photo], ColorizeOptions(steps=1))[0].note == NO_FACE
    assert colorizer.colorize_photos([photo], ColorizeOptions(steps=1, detect=False))[0].note == ""


def test_without_detection_no_face_is_looked_for(monkeypatch: pytest.MonkeyPatch, colorizer: Colorizer) -> None:
    monkeypatch.setattr("zoo.photos.scene.find_faces", lambda photo: pytest.fail("looked for faces"))
    colorizer.colorize(photo_of(30, 30), steps=1, detect=False)


def test_previews_come_after_each_step_of_the_last_pictures(
    monkeypatch: pytest.MonkeyPatch, colorizer: Colorizer
) -> None:
    put_faces(monkeypatch, Viewport(50 + 50j, 100 + 0j))
    photos = [Photo.from_array(photo_of(300, 512)), Photo.from_array(photo_of(90, 60))]
    calls: list[tuple[int, list[np.ndarray] | None]] = []
    options = ColorizeOptions(steps=3, vivid=True)
    colorizer.colorize_photos(photos, options, on_step=lambda step, seen: calls.append((step, seen)))
    shown = [(step, seen) for step, seen in calls if seen is not None]
    assert [step for step, _ in shown] == [1, 2, 3]
    assert all([rgb.shape for rgb in seen] == [(150, 256, 3), (90, 60, 3)] for _, seen in shown)
    assert all(step == 0 for step, seen in calls if seen is None)


class Stepping(PaintingModel):
    """After step k everything is redder by a tenth."""

    def colorize(
        self, L: Tensor, features: Any, sampler: Any, generators: Any, callback: Any = None, **_: Any
    ) -> Tensor:
        for step in range(1, sampler.steps + 1):
            ab = torch.tensor([step / 10, 0])[:, None, None].expand(len(L), 2, *L.shape[-2:])
            callback(step, ab)
        return ab


def test_previews_show_faces_and_what_lies_around_at_the_same_step(monkeypatch: pytest.MonkeyPatch) -> None:
    put_faces(monkeypatch, Viewport(60 + 20j, 60 + 0j))
    photo, shown = Photo.from_array(np.full((120, 200, 3), 128, np.uint8)), []
    colorizer = Colorizer(Stepping())  # type: ignore[arg-type]
    colorizer.colorize_photos([photo], ColorizeOptions(steps=3, vivid=True), on_step=lambda _, seen: shown.append(seen))
    for step, (rgb,) in enumerate([seen for seen in shown if seen], start=1):
        a = ab_of(rgb)[..., 0]
        assert (a[50, 90], a[60, 10]) == pytest.approx((step / 10, step / 10), abs=0.02)


def test_watching_changes_nothing(no_faces: None, colorizer: Colorizer) -> None:
    photo, options = Photo.from_array(photo_of(40, 50)), ColorizeOptions(steps=2)
    (watched,) = colorizer.colorize_photos([photo], options, on_step=lambda step, seen: None)
    (alone,) = colorizer.colorize_photos([photo], options)
    assert np.array_equal(watched.samples[0], alone.samples[0])


def test_photos_do_not_share_their_noise_and_each_keeps_its_own() -> None:
    photos = [Photo.from_array(photo_of(40, 60, seed)) for seed in (0, 1, 0)]
    model = PaintingModel()
    Colorizer(model).colorize_photos(photos, ColorizeOptions(detect=False, vivid=True))  # type: ignore[arg-type]
    first, second, again = model.noise
    assert first == again
    assert first != second
