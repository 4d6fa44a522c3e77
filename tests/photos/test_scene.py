"""A photo taken apart: what a model and its encoder are shown, and where faces are pasted back."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from support.models import CountingEncoder, tiny_model
from support.scenes import FACE_AB, REST_AB, PaintingModel, ab_of, photo_of, put_faces
from zoo.faces.framing import WHOLE, Box
from zoo.faces.viewport import Viewport
from zoo.photos.colorizer import Colorizer
from zoo.photos.composite import compose
from zoo.photos.photo import Photo
from zoo.photos.scene import Sight, look_at
from zoo.photos.trust import STRENGTH


@pytest.fixture
def no_faces(monkeypatch: pytest.MonkeyPatch) -> None:
    put_faces(monkeypatch)


@pytest.mark.parametrize("edge", [60 + 0j, 50 + 30j, 20 - 10j])
def test_a_face_is_colored_where_it_is_and_only_there(monkeypatch: pytest.MonkeyPatch, edge: complex) -> None:
    face_box = Box(0.1, 0.2, 0.6)
    square = Viewport(60 + 50j, edge)
    put_faces(monkeypatch, square)
    colorizer = Colorizer(PaintingModel(face_box=face_box))  # type: ignore[arg-type]
    ab = ab_of(colorizer.colorize(np.full((160, 240, 3), 128, np.uint8)))
    viewport = square.of(face_box.inverse())
    inside = (np.arange(240) + 0.5 + 1j * (np.arange(160)[:, None] + 0.5) - viewport.origin) / viewport.edge
    depth = np.minimum.reduce([inside.real, 1 - inside.real, inside.imag, 1 - inside.imag])  # from the nearest edge
    assert np.abs(ab[depth > 0.27] - FACE_AB).max() < 0.01
    assert np.abs(ab[depth < 0] - STRENGTH * np.array(REST_AB)).max() < 0.01


def test_a_face_fades_into_the_photo_without_a_step() -> None:
    L = torch.zeros(1, 1, 100, 140)
    face, rest = (torch.tensor(ab)[None, :, None, None] for ab in (FACE_AB, REST_AB))
    field = compose(L, rest.expand(1, 2, 8, 8), [(Viewport(30 + 20j, 60 + 5j), face.expand(1, 2, 16, 16))])
    a = field[0, 2]
    assert a.max() == pytest.approx(0.2, abs=1e-4)
    assert a.min() == pytest.approx(0.0, abs=1e-4)
    most = 0.2 * 1.5 / (0.125 * 60) * 1.05  # the steepest slope of a smooth step over an eighth of the side
    assert a.diff(dim=0).abs().max() < most
    assert a.diff(dim=1).abs().max() < most


def test_a_face_begins_and_ends_to_fade_gently() -> None:
    """Its slope changes by no more than a smooth step's over an eighth of the side does: a kink shows as a line."""
    L, side = torch.zeros(1, 1, 240, 240), 200
    face, rest = (torch.tensor(ab)[None, :, None, None] for ab in (FACE_AB, REST_AB))
    field = compose(L, rest.expand(1, 2, 8, 8), [(Viewport(20 + 20j, side + 0j), face.expand(1, 2, 16, 16))])
    middle = field[0, 2, 120]  # straight through
    assert middle.diff().diff().abs().max() < 0.2 * 6 / (0.125 * side) ** 2 * 1.1


def test_no_corner_of_a_faces_square_shows() -> None:
    """Just inside the corners there is nothing of the face, in the middle of the edges hardly anything."""
    L = torch.zeros(1, 1, 100, 100)
    face, rest = (torch.tensor(ab)[None, :, None, None] for ab in (FACE_AB, REST_AB))
    field = compose(L, rest.expand(1, 2, 8, 8), [(Viewport(20 + 20j, 60 + 0j), face.expand(1, 2, 16, 16))])
    a = field[0, 2]
    assert (a[26:29, 26:29] == 0).all()
    assert [float(a[50, 50]), float(a[30, 50])] == pytest.approx([0.2, 0.2], abs=1e-4)
    assert a[21, 50] < 0.05


def test_where_faces_overlap_they_share() -> None:
    L = torch.zeros(1, 1, 64, 64)
    one, two = (torch.full((1, 2, 8, 8), value) for value in (0.1, 0.3))
    same = Viewport(10 + 10j, 40 + 0j)
    both = compose(L, torch.full((1, 2, 8, 8), -0.1), [(same, one), (same, two)])
    assert both[0, 2, 30, 30] == pytest.approx(0.2, abs=1e-4)  # and nothing of what lies around
    assert both[:, 2:].max() < 0.21


def test_a_face_that_reaches_outside_the_photo_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    put_faces(monkeypatch, Viewport(-30 - 30j, 80 + 0j))
    colored = Colorizer(PaintingModel()).colorize(np.full((90, 120, 3), 128, np.uint8))  # type: ignore[arg-type]
    assert np.abs(ab_of(colored)[10, 10] - FACE_AB).max() < 0.01


def test_a_photo_that_is_a_face_is_colored_once_as_in_training(monkeypatch: pytest.MonkeyPatch) -> None:
    put_faces(monkeypatch, Viewport(2 + 3j, 94 + 1j))
    model = PaintingModel(frame=Box(0.1, 0.1, 0.8), face_box=WHOLE, input_size=24)
    Colorizer(model).colorize(photo_of(100, 100))  # type: ignore[arg-type]
    assert {shape[2:] for shape in model.seen} == {(32, 32)}
    assert model.boxes == [Box(0.1, 0.1, 0.8)]
    assert model.views[0].shape == (1, 1, 24, 24)


def test_the_encoder_sees_faces_in_its_frame_and_whole_photos_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    square = Viewport(30 + 20j, 40 + 0j)
    put_faces(monkeypatch, square)
    photo = np.full((100, 160, 3), 40, np.uint8)
    photo[20:60, 30:70] = 220  # just what the encoder wants to see of the face
    model = PaintingModel(frame=WHOLE, face_box=Box(0.25, 0.25, 0.5), input_size=20)
    Colorizer(model).colorize(photo)  # type: ignore[arg-type]
    of_face, of_whole = model.views
    assert model.boxes == [Box(0.25, 0.25, 0.5), WHOLE]
    assert of_face.shape == of_whole.shape == (1, 1, 20, 20)
    assert of_face[..., 1:-1, 1:-1].min() > 0.6
    assert of_whole.min() < -0.5


def test_photos_are_seen_at_the_size_of_training_in_multiples_of_the_stride(no_faces: None) -> None:
    model = PaintingModel()
    colorizer = Colorizer(model)  # type: ignore[arg-type]
    colorizer.colorize([photo_of(300, 450), photo_of(20, 10), photo_of(30, 3000)], vivid=True)
    assert model.seen == [(1, 1, 32, 48), (1, 1, 64, 32), (1, 1, 8, 96)]


def test_the_encoder_runs_once_per_picture_whatever_the_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    put_faces(monkeypatch, Viewport(10 + 10j, 30 + 0j))
    CountingEncoder.seen = 0
    Colorizer(tiny_model("counting").eval()).colorize(photo_of(60, 90), samples=3, steps=4)
    assert CountingEncoder.seen == 2  # the face and the whole


def test_no_more_pictures_than_asked_for_go_through_the_network_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    put_faces(monkeypatch, *(Viewport(complex(20 * i, 20), 30 + 0j) for i in range(5)))
    model = PaintingModel()
    Colorizer(model).colorize(photo_of(100, 160), batch_size=2, vivid=True)  # type: ignore[arg-type]
    assert [n for n, *_ in model.seen] == [2, 2, 1, 1]


@pytest.mark.parametrize(
    ("photo", "canvas"), [((40, 60), (40, 60)), ((1024, 30), (1024, 30)), ((300, 1500), (205, 1024))]
)
def test_colorings_are_put_together_at_up_to_1024_pixels_a_side(
    photo: tuple[int, int], canvas: tuple[int, int]
) -> None:
    sight = Sight.of(PaintingModel())  # type: ignore[arg-type]
    scene = look_at(Photo.from_array(np.full((*photo, 3), 128, np.uint8)), sight, sight, detect=False)
    assert scene.canvas.shape == (1, 1, *canvas)


def key_of(color: tuple[int, int, int]) -> str:
    sight = Sight.of(PaintingModel())  # type: ignore[arg-type]
    return look_at(Photo.from_array(np.full((40, 60, 3), color, np.uint8)), sight, sight, detect=False).key


def test_noise_depends_on_the_lightness_of_a_photo_and_not_on_its_colors() -> None:
    grey, green, lighter = (140, 140, 140), (90, 153, 119), (141, 141, 141)
    assert key_of(grey) == key_of(green)
    assert key_of(grey) != key_of(lighter)
