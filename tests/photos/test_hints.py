"""Colours that a user says: how they are written, where they arrive, and that they are followed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from support.models import TINY_DENOISER, tiny_model
from support.scenes import FACE_AB, REST_AB, PaintingModel, ab_of, put_faces
from zoo.errors import ZooError
from zoo.faces.framing import WHOLE
from zoo.faces.viewport import Viewport
from zoo.photos.colorizer import ColorizeOptions, Colorizer
from zoo.photos.hints import Hint, read_hints

PHOTO = np.full((160, 240, 3), 128, np.uint8)
COLOR = "#5a8a60"  # a muted green that mid-grey can have
AB = ab_of(np.array([[[0x5A, 0x8A, 0x60]]], np.uint8))[0, 0]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("0.5,0.25,#5a8a60", 120 + 40j),
        ("0.0, 1.0 ,5A8A60", 0 + 159.5j),
        ("0,159,#5a8a60", 0.5 + 159.5j),
        ("239,0.5,#5a8a60", 239.5 + 80j),
        ("1,1,#5a8a60", 1.5 + 1.5j),
    ],
)
def test_a_number_with_a_point_is_a_fraction_and_a_whole_one_a_pixel(text: str, place: complex) -> None:
    hint = Hint.of(text)
    assert hint.place(160, 240) == place
    assert Hint.of((hint.x, hint.y, hint.color)) == hint
    assert hint.ab.flatten().tolist() == pytest.approx(AB.tolist())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("0.5,0.5", "expected X,Y,#RRGGBB"),
        ("0.5,0.5,red", "'red' is no colour"),
        ("0.5,0.5,#12345", "'#12345' is no colour"),
        ("0.5,left,#5a8a60", "'left' is no number"),
        ("1.5,0.5,#5a8a60", "1.5 has a point"),
        ("-0.1,0.5,#5a8a60", "-0.1 has a point"),
        ("nan,0.5,#5a8a60", "nan has a point"),
        ((True, 0.5, "#5a8a60"), "True is no number"),
        (7, "hint 7: expected"),
        ("x" * 10_000, "…"),
    ],
)
def test_what_is_no_hint_is_one_line(given: Any, said: str) -> None:
    with pytest.raises(ZooError) as caught:
        Hint.of(given)
    assert said in str(caught.value)
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)


def test_a_file_has_a_hint_a_line_and_a_wrong_one_is_named(tmp_path: Path) -> None:
    file = tmp_path / "colours.txt"
    file.write_text("0.5,0.5,#5a8a60\n\n 3,4,#ffffff \n")
    assert read_hints(file) == [Hint(0.5, 0.5, "#5a8a60"), Hint(3, 4, "#ffffff")]
    file.write_text("0.5,0.5,#5a8a60\nblue\n")
    with pytest.raises(ZooError, match=r"colours\.txt, line 2: "):
        read_hints(file)
    file.write_bytes(b"\xff\xfe\x00")
    for path in (file, tmp_path / "gone.txt"):
        with pytest.raises(ZooError, match="cannot be read as text"):
            read_hints(path)


def colored(model: PaintingModel, *hints: Any, **options: Any) -> np.ndarray:
    return ab_of(Colorizer(model).colorize(PHOTO, hints=hints, **options))  # type: ignore[arg-type]


@pytest.mark.parametrize("vivid", [False, True])
def test_a_photo_has_the_color_where_it_was_said_and_its_own_elsewhere(
    monkeypatch: pytest.MonkeyPatch, vivid: bool
) -> None:
    put_faces(monkeypatch)
    ab = colored(PaintingModel(), (0.25, 0.75, COLOR), vivid=vivid)
    assert ab[120, 60] == pytest.approx(AB, abs=0.02)
    assert ab[30, 200] == pytest.approx(REST_AB, abs=0.02)


def test_a_hint_reaches_the_photo_and_each_face_in_which_its_place_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    turned = Viewport(150 + 20j, 40 + 30j)
    put_faces(monkeypatch, Viewport(20 + 20j, 64 + 0j), turned)
    model = PaintingModel(face_box=WHOLE)
    ab = colored(model, (165, 50, COLOR))
    masks = [mask for told in model.told if told for mask in told[1]]  # (1, 8, 8) of faces, (1, 8, 12) of all
    inside = (165.5 + 50.5j - turned.origin) / turned.edge
    assert {positions(mask) for mask in masks if mask.shape[-1] == 12} == {around(2, 8)}
    assert {positions(mask) for mask in masks if mask.shape[-1] == 8} == {
        frozenset(),
        around(int(8 * inside.imag), int(8 * inside.real)),
    }
    assert ab[50, 165] == pytest.approx(AB, abs=0.03)
    assert ab[52, 52] == pytest.approx(FACE_AB, abs=0.02)


@pytest.mark.parametrize(("x", "y"), [(10, 50), (50, 10), (100, 50), (50, 100)])
def test_a_hint_beside_a_face_does_not_reach_it(monkeypatch: pytest.MonkeyPatch, x: int, y: int) -> None:
    put_faces(monkeypatch, Viewport(20 + 20j, 64 + 0j))
    model = PaintingModel(face_box=WHOLE)
    colored(model, (x, y, COLOR))
    masks = [mask for told in model.told if told for mask in told[1]]  # (1, 8, 8) of the face, (1, 8, 12) of all
    assert {positions(mask) for mask in masks if mask.shape[-1] == 8} <= {frozenset()}
    assert any(positions(mask) for mask in masks)


def positions(mask: torch.Tensor) -> frozenset[tuple[int, int]]:
    return frozenset(map(tuple, torch.nonzero(mask[0]).tolist()))


def around(row: int, column: int) -> frozenset[tuple[int, int]]:
    return frozenset((row + down, column + right) for down in (-1, 0, 1) for right in (-1, 0, 1))


def test_without_hints_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    put_faces(monkeypatch, Viewport(20 + 20j, 64 + 0j))
    model = PaintingModel()
    colored(model)
    assert set(model.told) == {None}


def test_the_later_of_two_hints_at_one_place_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    put_faces(monkeypatch)
    ab = colored(PaintingModel(), (0.5, 0.5, "#c03030"), (0.5, 0.5, COLOR))
    assert ab[80, 120] == pytest.approx(AB, abs=0.02)


@pytest.mark.parametrize(
    ("model", "photos", "hint", "said"),
    [
        (PaintingModel(hints=False), PHOTO, (0.5, 0.5, COLOR), "cannot be told colours"),
        (PaintingModel(), np.stack([PHOTO, PHOTO]), (0.5, 0.5, COLOR), "2 photos were given"),
        (PaintingModel(), PHOTO, (240, 0, COLOR), "pixel 240 is outside the photo, which is 240 pixels wide"),
        (PaintingModel(), PHOTO, (0, 160, COLOR), "pixel 160 is outside the photo, which is 160 pixels high"),
    ],
)
def test_what_cannot_be_followed_is_one_line_before_anything_is_looked_at(
    monkeypatch: pytest.MonkeyPatch, model: PaintingModel, photos: np.ndarray, hint: Any, said: str
) -> None:
    monkeypatch.setattr("zoo.photos.scene.find_faces", lambda photo: pytest.fail("looked for faces"))
    with pytest.raises(ZooError, match=said):
        Colorizer(model).colorize(photos, hints=[hint])  # type: ignore[arg-type]
    assert model.told == []


@pytest.mark.parametrize("hints", ["0.5,0.5,#5a8a60", 3])
def test_hints_are_a_list(hints: Any) -> None:
    with pytest.raises(ZooError, match="hints must be a list"):
        ColorizeOptions(hints=hints)


def test_a_real_model_is_told_and_one_without_hints_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    put_faces(monkeypatch)
    model = tiny_model("none", "none", denoiser=TINY_DENOISER | {"hints": True})
    with torch.no_grad():
        for parameter in model.parameters():  # the last layer starts at 0 and would hide everything
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0)))
    colorizer = Colorizer(model.eval())
    assert colorizer.hints
    plain = colorizer.colorize(PHOTO)
    assert not np.array_equal(plain, colorizer.colorize(PHOTO, hints=["0.5,0.5,#c03030"]))
    assert not Colorizer(tiny_model("none", "none").eval()).hints
