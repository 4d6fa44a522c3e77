"""Part of an earlier colouring is kept, the rest is new."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from support.scenes import REST_AB, PaintingModel, ab_of, lightness_error, photo_of
from zoo.color.gamut import to_uint8
from zoo.errors import ZooError
from zoo.photos.colorizer import Colorizer
from zoo.photos.hints import Hint
from zoo.photos.keeping import Kept
from zoo.photos.options import ColorizeOptions
from zoo.photos.photo import Photo


def test_white_keeps_black_is_new_and_grey_is_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.photos.keeping._BAND", 200)  # several bands
    earlier = photo_of(30, 40)
    photo = Photo.from_array(earlier)
    new = np.full_like(earlier, 120)
    new[..., 0] = 160
    mask = np.zeros((30, 40), np.uint8)
    mask[:, :15], mask[:, 15:25] = 255, 128
    mixed = Kept(earlier, mask).over(new, photo)
    assert np.array_equal(mixed[:, :15], earlier[:, :15])
    assert np.abs(ab_of(mixed)[:, 25:] - ab_of(new)[:, 25:]).max() < 0.02
    assert np.abs(ab_of(mixed) - (ab_of(earlier) + ab_of(new)) / 2)[:, 15:25].max() < 0.02
    assert lightness_error(earlier, mixed) < 0.25


def test_nothing_wears_off_what_is_kept() -> None:
    photo = Photo.from_array(np.linspace(0, 255, 1200).astype(np.uint8).reshape(30, 40))
    vivid = torch.rand(1, 2, 30, 40, generator=torch.Generator().manual_seed(0)) - 0.5  # much of it beyond sRGB
    earlier, new = (to_uint8(photo.L(), ab)[0].numpy() for ab in (vivid, -vivid))
    mask = np.zeros((30, 40), np.uint8)
    mask[:, :20] = 255
    kept = Kept(earlier, mask).over(new, photo)
    assert np.array_equal(kept[:, :20], earlier[:, :20])
    assert np.array_equal(kept[:, 20:], new[:, 20:])


def test_of_an_earlier_coloring_with_another_lightness_only_the_colors_are_kept() -> None:
    photo = Photo.from_array(np.full((30, 40), 150, np.uint8))
    dark = np.full((30, 40, 3), (110, 70, 60), np.uint8)
    kept = Kept(dark, np.full((30, 40), 255, np.uint8)).over(photo.rgb, photo)
    assert lightness_error(photo.rgb, kept) < 0.25
    assert np.abs(ab_of(kept) - ab_of(dark)).max() < 0.01


def store(path: Path, rgb: np.ndarray) -> Path:
    Image.fromarray(rgb).save(path)
    return path


def test_the_photos_own_colors_are_kept_or_those_of_another_file(tmp_path: Path) -> None:
    photo, other = store(tmp_path / "a.png", photo_of(20, 30)), store(tmp_path / "b.png", photo_of(20, 30, 1))
    mask = store(tmp_path / "mask.png", np.full((20, 30), 255, np.uint8))
    assert np.array_equal(Kept.read(photo, mask, None).rgb, photo_of(20, 30))
    assert np.array_equal(Kept.read(photo, mask, other).rgb, photo_of(20, 30, 1))
    assert (Kept.read(photo, mask, None).mask == 255).all()


@pytest.mark.parametrize(
    ("photo", "mask", "earlier", "said"),
    [
        ("grey", "mask", None, r"grey.png has no colours to keep; give --keep-from"),
        ("colour", "mask", "grey", r"grey.png has no colours to keep$"),
        ("colour", "small", None, r"small.png is 9 × 9 pixels, not 30 × 20"),
        ("colour", "mask", "large", r"large.png is 50 × 40 pixels, not 30 × 20"),
        ("colour", "none", None, r"none.png: no such file"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, photo: str, mask: str, earlier: str | None, said: str) -> None:
    store(tmp_path / "grey.png", np.full((20, 30), 99, np.uint8))
    store(tmp_path / "mask.png", np.full((20, 30), 255, np.uint8))
    store(tmp_path / "small.png", np.full((9, 9), 255, np.uint8))
    store(tmp_path / "colour.png", photo_of(20, 30))
    store(tmp_path / "large.png", photo_of(40, 50))
    paths = [tmp_path / f"{name}.png" for name in (photo, mask)]
    with pytest.raises(ZooError, match=said):
        Kept.read(*paths, earlier and tmp_path / f"{earlier}.png")


# The rest, coloured anew


def half(width: int = 240) -> Kept:
    """The left half of a green picture of 160 pixels' height."""
    mask = np.zeros((160, width), np.uint8)
    mask[:, : width // 2] = 255
    return Kept(np.full((160, width, 3), (90, 138, 96), np.uint8), mask)


def test_the_kept_colors_are_told_from_all_over_the_part_and_nowhere_else() -> None:
    told = half().hints()
    assert 10 <= len(told) <= 25
    assert {hint.color for hint in told} == {"#5a8a60"}
    assert max(hint.x for hint in told) < 0.5
    for low, high, places in ((0, 0.5, [hint.x for hint in told]), (0, 1, [hint.y for hint in told])):
        assert min(places) < low + 0.25 * (high - low)
        assert max(places) > low + 0.75 * (high - low)


def test_colors_of_what_is_kept_in_part_are_not_told() -> None:
    """Two thirds of each square are green and kept, a third is red and not: a mean of both would be neither."""
    red = np.arange(240) % 3 == 0
    rgb, mask = np.full((160, 240, 3), (90, 138, 96), np.uint8), np.full((160, 240), 255, np.uint8)
    rgb[:, red], mask[:, red] = (200, 30, 30), 0
    assert Kept(rgb, mask).hints() == []


def test_of_a_part_that_is_too_small_to_tell_nothing_is_told() -> None:
    mask = np.zeros((160, 240), np.uint8)
    mask[3:5, 3:5] = 255
    assert Kept(np.zeros((160, 240, 3), np.uint8), mask).hints() == []


@pytest.mark.parametrize("listens", [True, False])
def test_a_model_that_listens_is_told_what_is_kept_and_what_is_said_counts_more(listens: bool) -> None:
    model, photo = PaintingModel(hints=listens), Photo.from_array(np.full((160, 240, 3), 128, np.uint8))
    said = (Hint(0.25, 0.5, "#8a5a60"),) if listens else ()
    colored = half().recolor(photo, Colorizer(model), ColorizeOptions(detect=False, vivid=True, hints=said))  # type: ignore[arg-type]
    assert np.array_equal(colored.samples[0][:, :120], half().over(photo.rgb, photo)[:, :120])
    assert np.abs(ab_of(colored.samples[0])[:, 180:] - REST_AB).max() < 0.02
    told = model.told[0]
    if told is None:
        assert not listens
        return
    ab, mask = told
    _, _, height, width = mask.shape
    assert mask[..., : width // 2].sum() > 20
    assert mask[..., width // 2 + 1 :].sum() == 0  # a patch may reach one place beyond
    assert torch.allclose(ab[0, :, height // 2, width // 4], said[0].ab.flatten())


def test_samples_agree_on_what_is_kept_and_so_do_previews(monkeypatch: pytest.MonkeyPatch) -> None:
    photo, seen = Photo.from_array(np.full((160, 240, 3), 128, np.uint8)), []

    def on_step(done: int, previews: list[np.ndarray] | None) -> None:
        seen.extend(previews or ())

    def disagreeing(self: PaintingModel, *given: object, **named: object) -> torch.Tensor:
        ab = painted(self, *given, **named)  # type: ignore[arg-type]
        return ab * torch.arange(len(ab))[:, None, None, None]

    painted = PaintingModel.colorize
    monkeypatch.setattr(PaintingModel, "colorize", disagreeing)
    options = ColorizeOptions(detect=False, samples=2)
    colored = half().recolor(photo, Colorizer(PaintingModel()), options, on_step=on_step)  # type: ignore[arg-type]
    assert colored.spread is not None
    left, right = np.array_split(colored.spread, 2, axis=1)
    assert (left == 0).all()
    assert right[:, 8:].min() > 1
    assert seen
    for preview in seen:
        assert np.array_equal(preview[:, :100], np.broadcast_to((90, 138, 96), (*preview[:, :100].shape[:2], 3)))
        assert not np.array_equal(preview[:, -1], preview[:, 0])
