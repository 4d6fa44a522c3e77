"""Skin outside faces fits theirs, and saturation does not burn it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from support.scenes import PaintingModel, ab_of, put_faces
from zoo.faces.viewport import Viewport
from zoo.photos.colorizer import Colorizer
from zoo.photos.skin import find_skin
from zoo.photos.trust import STRENGTH

SKIN, NECK, SKY = (14.0, 16.0), (11.0, 12.0), (-4.0, -20.0)
SQUARE = Viewport(60 + 20j, 40 + 0j)
CHEEK, CHIN_BELOW, CORNER = (45, 80), (90, 80), (5, 5)  # row, column


def plain(ab: tuple[float, float]) -> Tensor:
    return (torch.tensor(ab) / 110)[None, :, None, None].expand(1, 2, 120, 160).clone()


def portrait(face: tuple[float, float] = SKIN) -> Tensor:
    """ab of a face before the sky, with a neck of nearly its colour below it and the same in a far corner."""
    ab = plain(SKY)
    ab[..., 20:70, 60:100] = plain(face)[..., :50, :40]
    ab[..., 75:110, 60:100] = plain(NECK)[..., :35, :40]
    ab[..., :8, :8] = plain(NECK)[..., :8, :8]
    return ab


def at(x: Tensor, place: tuple[int, int]) -> list[float]:
    return x[0, :, place[0], place[1]].tolist()


def field_of(ab: Tensor) -> Tensor:
    return torch.cat([torch.zeros_like(ab), ab], dim=1)


def test_a_face_and_what_has_its_colour_near_it_are_skin() -> None:
    skin = find_skin(portrait(), [SQUARE])
    assert skin is not None
    assert at(skin.face, CHEEK) == pytest.approx([1])
    assert at(skin.body, CHEEK) == pytest.approx([0])
    assert at(skin.body, CHIN_BELOW)[0] > 0.5
    assert at(skin.body, (90, 20))[0] < 0.01  # the sky beside it
    assert skin.chroma == pytest.approx(np.hypot(*SKIN), abs=0.1)


def test_a_face_is_an_ellipse_that_is_higher_than_wide() -> None:
    skin = find_skin(portrait(), [SQUARE])
    assert skin is not None
    inside = skin.face[0, 0] >= 0.5
    middle = 20 + 0.62 * 40, 60 + 0.5 * 40  # row, column
    assert inside[round(middle[0])].sum().item() == pytest.approx(2 * 0.40 * 40, abs=1)
    assert inside[:, round(middle[1])].sum().item() == pytest.approx(2 * 0.50 * 40, abs=1)


def test_what_is_far_from_the_face_is_less_likely_skin() -> None:
    ab = plain(NECK)
    ab[..., 20:70, 60:100] = plain(SKIN)[..., :50, :40]
    skin = find_skin(ab, [Viewport(75 + 40j, 10 + 0j)])
    assert skin is not None
    assert at(skin.body, CORNER)[0] < 0.2 < at(skin.body, (58, 80))[0]


def test_a_neck_gets_the_tone_of_its_face_and_the_sky_stays() -> None:
    ab = portrait()
    skin = find_skin(ab, [SQUARE])
    assert skin is not None
    fitted = skin.fitted(field_of(ab))[:, 2:] * 110
    before, after = (np.linalg.norm(np.subtract(x, SKIN)) for x in (NECK, at(fitted, CHIN_BELOW)))
    assert after < 0.5 * before
    assert at(fitted, (90, 20)) == pytest.approx(SKY, abs=0.1)
    assert at(fitted, CHEEK) == pytest.approx(SKIN, abs=0.01)


def test_two_faces_keep_each_its_own_neck() -> None:
    ab = torch.cat([portrait((12.0, 14.0)), portrait((18.0, 18.0))], dim=3)
    skin = find_skin(ab, [SQUARE, Viewport(220 + 20j, 40 + 0j)])
    assert skin is not None
    left, right = (np.multiply(at(skin.tone, (90, x)), 110) for x in (80, 240))
    assert left[0] < 14 < 16 < right[0]


@pytest.mark.parametrize("colour", [(0.5, 0.5), (-20.0, 5.0), (5.0, -30.0), (60.0, 60.0)])
def test_a_face_of_no_skins_colour_tells_of_no_skin(colour: tuple[float, float]) -> None:
    assert find_skin(plain(colour), [SQUARE]) is None


def polar(hue: float, chroma: float) -> tuple[float, float]:
    return chroma * float(np.cos(np.radians(hue))), chroma * float(np.sin(np.radians(hue)))


@pytest.mark.parametrize(("hue", "chroma"), [(8, 20), (87, 20), (45, 4), (45, 62)])
def test_just_outside_the_colors_of_skin_there_is_none(hue: float, chroma: float) -> None:
    assert find_skin(plain(polar(hue, chroma)), [SQUARE]) is None


@pytest.mark.parametrize(("hue", "chroma"), [(12, 20), (83, 20), (45, 6), (45, 58)])
def test_just_inside_the_colors_of_skin_there_is_some(hue: float, chroma: float) -> None:
    assert find_skin(plain(polar(hue, chroma)), [SQUARE]) is not None


def test_a_wall_of_nearly_skins_color_is_no_skin() -> None:
    """12 Lab units from the face's: within 6 a neck is skin, for walls in 16 became skin."""
    skin = find_skin(portrait(), [SQUARE])
    assert skin is not None
    ab = portrait()
    ab[..., 75:110, 60:100] = plain((SKIN[0] - 12, SKIN[1]))[..., :35, :40]
    of_wall = find_skin(ab, [SQUARE])
    assert of_wall is not None
    assert at(of_wall.body, CHIN_BELOW)[0] < 0.15 < 0.5 < at(skin.body, CHIN_BELOW)[0]


def test_several_faces_bound_saturation_by_their_mean_chroma() -> None:
    ab = torch.cat([portrait((12.0, 9.0)), portrait((20.0, 15.0))], dim=3)  # chroma 15 and 25
    skin = find_skin(ab, [SQUARE, Viewport(220 + 20j, 40 + 0j)])
    assert skin is not None
    assert skin.chroma == pytest.approx(20, abs=0.1)


def test_a_face_outside_the_picture_tells_of_no_skin() -> None:
    assert find_skin(plain(SKIN), [Viewport(-400 + 0j, 40 + 0j)]) is None


@pytest.mark.parametrize(
    ("factor", "on_skin"), [(0.0, 0.0), (0.5, 0.5), (1.0, 1.0), (1.1, 1.1), (2.0, 26 / np.hypot(*SKIN))]
)
def test_saturation_acts_on_the_sky_in_full_and_on_skin_up_to_a_bound(factor: float, on_skin: float) -> None:
    skin = find_skin(portrait(), [SQUARE])
    assert skin is not None
    factors = skin.saturation(factor)
    assert isinstance(factors, Tensor)
    assert at(factors, CHEEK) == pytest.approx([on_skin], abs=0.01)
    body = at(skin.body, CHIN_BELOW)[0]
    assert at(factors, CHIN_BELOW) == pytest.approx([factor + (on_skin - factor) * body], abs=0.01)
    assert at(factors, (90, 20)) == pytest.approx([factor], abs=0.01)


def test_skin_that_is_vivid_already_is_not_paled() -> None:
    skin = find_skin(plain((30.0, 30.0)), [SQUARE])
    assert skin is not None
    factors = skin.saturation(1.5)
    assert isinstance(factors, Tensor)
    assert at(factors, CHEEK) == pytest.approx([1.0])


@dataclass
class Portraitist(PaintingModel):
    """Faces have a colour of skin; all around has one colour."""

    background: tuple[float, float] = SKY

    def colorize(self, L: Tensor, *given: Any, **_: Any) -> Tensor:
        ab = torch.tensor(SKIN if L.shape[-1] == L.shape[-2] else self.background)[:, None, None] / 110
        ab = ab.expand(len(L), 2, *L.shape[-2:]).contiguous()
        if given[-1] is not None:  # nobody asked for what the first step expects
            given[-1](1, ab)
        return ab


def test_in_a_photo_a_neck_gets_the_tone_of_its_face(monkeypatch: pytest.MonkeyPatch) -> None:
    put_faces(monkeypatch, Viewport(120 + 40j, 80 + 0j))
    colorizer = Colorizer(Portraitist(background=NECK))  # type: ignore[arg-type]
    ab = ab_of(colorizer.colorize(np.full((240, 320, 3), 128, np.uint8))) * 110
    assert np.linalg.norm(ab[150, 160] - SKIN) < 0.5 * np.linalg.norm(np.subtract(NECK, SKIN))


def test_in_a_large_photo_skin_is_where_the_face_is(monkeypatch: pytest.MonkeyPatch) -> None:
    put_faces(monkeypatch, Viewport(1500 + 40j, 160 + 0j))  # the colours are put together at half that size
    colorizer = Colorizer(Portraitist())  # type: ignore[arg-type]
    ab = ab_of(colorizer.colorize(np.full((240, 2048, 3), 128, np.uint8), saturation=1.8)) * 110
    assert np.hypot(*ab[139, 1580]) == pytest.approx(26, abs=1)


def test_in_a_photo_saturation_leaves_skin_skin_and_makes_the_sky_blue(monkeypatch: pytest.MonkeyPatch) -> None:
    put_faces(monkeypatch, Viewport(120 + 40j, 80 + 0j))
    colorizer = Colorizer(Portraitist())  # type: ignore[arg-type]
    ab = ab_of(colorizer.colorize(np.full((240, 320, 3), 128, np.uint8), saturation=1.8)) * 110
    assert np.hypot(*ab[90, 160]) == pytest.approx(26, abs=1)
    assert np.hypot(*ab[200, 20]) == pytest.approx(1.8 * STRENGTH * np.hypot(*SKY), abs=1.5)
