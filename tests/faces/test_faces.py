"""Faces are found, framed as a model expects them, and seen through that frame."""

from __future__ import annotations

import cmath
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from zoo.faces import detect
from zoo.faces.box import TEMPLATE
from zoo.faces.detect import Face, _distinct, fills, find_faces
from zoo.faces.framing import Box
from zoo.faces.viewport import Viewport, fit_viewport, lightness, look, resized, see, shrunk

skimage_data = pytest.importorskip("skimage.data")
UTKFACE = Box(-0.10, -0.26, 1.19)

viewports = st.builds(
    lambda x, y, size, turn: Viewport(complex(x, y), cmath.rect(size, turn)),
    st.floats(-50, 500),
    st.floats(-50, 500),
    st.floats(5, 2000),
    st.floats(-3, 3),
)


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    return skimage_data.astronaut()


def face_at(square: Viewport) -> Face:
    """A face that stands in ``square`` as in the ArcFace template."""
    points = square.origin + square.edge * (TEMPLATE @ (1, 1j))
    return Face(np.stack([points.real, points.imag], axis=1), (0.0, 0.0, 1.0, 1.0), 1.0)


def eyes(face: Face) -> np.ndarray:
    return face.landmarks[:2]


@settings(deadline=None)
@given(viewports)
def test_the_square_of_a_turned_scaled_and_shifted_template_is_recovered(square: Viewport) -> None:
    found = fit_viewport(face_at(square).landmarks, TEMPLATE)
    assert found.origin == pytest.approx(square.origin, abs=1e-6 * square.size + 1e-6)
    assert found.edge == pytest.approx(square.edge, abs=1e-6 * square.size + 1e-6)


def test_landmarks_that_fit_no_square_exactly_are_met_in_least_squares() -> None:
    rng = np.random.default_rng(0)
    points = face_at(Viewport(10 + 20j, 100 + 10j)).landmarks + rng.normal(0, 3, (5, 2))

    def error(square: Viewport) -> float:
        return float(((face_at(square).landmarks - points) ** 2).sum())

    best = fit_viewport(points, TEMPLATE)
    for change in (0.01, -0.01, 0.01j, -0.01j):
        assert error(best) < error(Viewport(best.origin + 100 * change, best.edge))
        assert error(best) < error(Viewport(best.origin, best.edge * (1 + change)))


@settings(deadline=None)
@given(viewports)
def test_a_face_stands_in_its_viewport_as_in_the_training_images(square: Viewport) -> None:
    viewport = face_at(square).viewport(UTKFACE)
    assert viewport.of(UTKFACE).origin == pytest.approx(square.origin, abs=1e-6 * square.size + 1e-6)
    assert viewport.of(UTKFACE).edge == pytest.approx(square.edge, abs=1e-6 * square.size + 1e-6)


@pytest.mark.parametrize(("looks", "middle"), [(1, 95 - 40), (-1, 25 + 40)])
def test_in_profile_the_viewport_is_as_large_as_the_face(looks: int, middle: float) -> None:
    """The eyes, and the corners of the mouth, are one behind the other; the fitted square would be that of a third."""
    square = Viewport(20 + 10j, 100 + 0j)
    box = (25.0, 14.0, 95.0, 110.0)
    frontal = Face(face_at(square).landmarks, box, 1.0)
    turned = Face(frontal.landmarks * [0.1, 1] + [30, 0], box, 1.0)
    turned.landmarks[2, 0] += 10 * looks
    assert frontal.viewport(None).edge == pytest.approx(square.edge)
    assert fit_viewport(turned.landmarks, TEMPLATE).size < 75
    seen = turned.viewport(None)
    assert seen.edge == pytest.approx(square.edge, rel=0.05)
    assert abs(seen.origin + seen.edge * (0.5 + 0.5j) - complex(middle, 54)) < 4
    assert turned.viewport(UTKFACE).size == pytest.approx(seen.size / UTKFACE.side)


def test_without_a_face_box_the_viewport_is_the_template_itself() -> None:
    square = Viewport(3 + 4j, 50 + 5j)
    assert face_at(square).viewport(None).edge == pytest.approx(square.edge)


def test_the_astronauts_face_is_found_where_it_is(astronaut: np.ndarray) -> None:
    (face,) = find_faces(astronaut)
    left, top, right, bottom = face.box
    assert left < 200 < 250 < right
    assert top < 90 < 150 < bottom
    assert np.abs(eyes(face) - [(207, 103), (245, 102)]).max() < 8
    assert face.score > 0.9


def test_a_grey_photo_shows_the_same_faces_as_rows_of_numbers_or_as_rgb(astronaut: np.ndarray) -> None:
    grey = np.asarray(Image.fromarray(astronaut).convert("L"))
    (flat,), (rgb,) = find_faces(grey), find_faces(np.repeat(grey[..., None], 3, axis=2))
    assert np.abs(flat.landmarks - rgb.landmarks).max() < 1e-6


def test_landmarks_scale_with_the_photo(astronaut: np.ndarray) -> None:
    head = astronaut[:256, 96:352]
    (small,) = find_faces(resized(head, 96, 96))
    (large,) = find_faces(resized(head, 1536, 1536))
    assert np.abs(large.landmarks / 16 - small.landmarks).max() < 3


def test_a_turned_face_gets_a_turned_viewport(astronaut: np.ndarray) -> None:
    turned = np.asarray(Image.fromarray(astronaut[:300, 80:380]).rotate(25, Image.Resampling.BICUBIC))
    (upright,), (face,) = find_faces(astronaut), find_faces(turned)
    angle = cmath.phase(face.viewport(None).edge) - cmath.phase(upright.viewport(None).edge)
    assert np.degrees(angle) == pytest.approx(-25, abs=5)  # y points down, and PIL turns against the clock


def test_two_faces_come_largest_first(astronaut: np.ndarray) -> None:
    head = astronaut[:220, 110:330]
    photo = np.full((300, 600, 3), 128, np.uint8)
    photo[40:150, 40:150] = resized(head, 110, 110)
    photo[20:240, 300:520] = head
    first, second = find_faces(photo)
    assert eyes(first)[:, 0].min() > 300 > eyes(second)[:, 0].max()


@pytest.mark.parametrize("side", [24, 32, 48])
def test_a_small_face_in_a_small_photo_is_found_once(astronaut: np.ndarray, side: int) -> None:
    head = astronaut[30:200, 140:310]
    photo = np.full((260, 346, 3), 128, np.uint8)
    photo[100 : 100 + side, 200 : 200 + side] = resized(head, side, side)
    (face,) = find_faces(photo)
    assert np.abs(face.landmarks.mean(axis=0) - (200 + side / 2, 100 + side / 2)).max() < 0.3 * side


@pytest.mark.parametrize(
    ("other", "distinct"),
    [
        ((0, 0, 10, 10), 1),  # the same
        ((2, 2, 6, 6), 1),  # inside
        ((4, 0, 14, 10), 1),  # three fifths
        ((6, 0, 16, 10), 2),  # two fifths
        ((20, 0, 30, 10), 2),  # beside
    ],
)
def test_faces_that_share_more_than_half_of_the_smaller_are_one(other: tuple[float, ...], distinct: int) -> None:
    faces = [Face(np.zeros((5, 2)), (0, 0, 10, 10), 0.96), Face(np.zeros((5, 2)), other, 0.99)]  # type: ignore[arg-type]
    kept = _distinct(faces)
    assert len(kept) == distinct
    assert kept[0].score == 0.99


@pytest.mark.parametrize("side", [140, 400, 1500])
def test_a_face_that_fills_the_photo_is_found_once_at_any_size(astronaut: np.ndarray, side: int) -> None:
    """At 1,024 pixels it is larger than the network sees."""
    (face,) = find_faces(resized(astronaut[60:180, 165:285], side, side))
    assert np.abs(eyes(face) / side - [(0.33, 0.35), (0.66, 0.35)]).max() < 0.06


@pytest.mark.parametrize(("height", "found"), [(340, 0), (360, 1)])
def test_at_the_small_scale_large_faces_are_looked_for(
    monkeypatch: pytest.MonkeyPatch, height: int, found: int
) -> None:
    """A dog's whole head looks like a face there."""
    face = Face(np.zeros((5, 2)), (10.0, 10.0, 300.0, 10.0 + height), 0.9)
    monkeypatch.setattr(detect, "_at_scale", lambda rgb, scale: [face] if scale < 1 else [])
    assert len(find_faces(np.zeros((512, 512, 3), np.uint8))) == found


def test_a_face_that_the_edge_cuts_is_found_where_it_is(astronaut: np.ndarray) -> None:
    """Above the brows, and at the right an ear."""
    (whole,), (cut,) = find_faces(astronaut), find_faces(astronaut[88:300, :265])
    assert np.abs(cut.landmarks - (whole.landmarks - [0, 88])).max() < 5


def test_faces_are_where_they_are_in_photos_of_any_shape(astronaut: np.ndarray) -> None:
    """Sides are padded to what the network takes; the photo is not stretched or shifted by it."""
    (whole,) = find_faces(astronaut)
    for height, width in [(301, 349), (333, 282), (512, 299)]:
        (face,) = find_faces(astronaut[:height, :width])
        assert np.abs(face.landmarks - whole.landmarks).max() < 6


@pytest.mark.real
@pytest.mark.skipif("ZOO_TEST_SCENES" not in os.environ, reason="ZOO_TEST_SCENES names no folder of scenes")
def test_golf_balls_and_church_windows_are_no_faces() -> None:
    files = sorted(Path(os.environ["ZOO_TEST_SCENES"], "val").glob("n0344*.jpg"))[:12]
    files += sorted(Path(os.environ["ZOO_TEST_SCENES"], "val").glob("n03028079*.jpg"))[:8]
    assert len(files) == 20
    assert [file.name for file in files if find_faces(np.asarray(Image.open(file).convert("RGB")))] == []


@pytest.mark.real
@pytest.mark.skipif("ZOO_TEST_PORTRAITS" not in os.environ, reason="ZOO_TEST_PORTRAITS names no folder of portraits")
def test_most_small_heads_are_found_in_a_scene() -> None:
    """Five to a photo of 500 × 333, faces of 12 to 40 pixels; nothing else is found."""
    files = sorted(Path(os.environ["ZOO_TEST_PORTRAITS"], "val").rglob("*.jpg"))[:15]
    sides = [12, 16, 20, 28, 40]
    hits = others = 0
    for start in range(0, len(files), 5):
        photo = resized(skimage_data.coffee(), 333, 500).copy()
        heads, x = [], 4
        for k, (file, side) in enumerate(zip(files[start : start + 5], sides)):
            portrait = np.asarray(Image.open(file).convert("RGB"))
            height, width, y = round(2 * side * len(portrait) / portrait.shape[1]), 2 * side, 20 + 90 * (k % 2)
            photo[y : y + height, x : x + width] = resized(portrait, height, width)
            heads.append((x, y, x + width, y + height))
            x += width + 12
        centres = [face.landmarks.mean(axis=0) for face in find_faces(photo)]
        found = [any(x0 <= x <= x1 and y0 <= y <= y1 for x, y in centres) for x0, y0, x1, y1 in heads]
        hits += sum(found)
        others += len(centres) - sum(found)
    assert hits >= 12
    assert others == 0


@pytest.mark.parametrize("name", ["coffee", "chelsea", "rocket", "hubble_deep_field"])
def test_a_photo_without_people_shows_no_face(name: str) -> None:
    assert find_faces(getattr(skimage_data, name)()) == []


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (900, 2), (60, 80)])
def test_where_there_is_nothing_no_face_is_found(shape: tuple[int, int]) -> None:
    assert find_faces(np.full((*shape, 3), 127, np.uint8)) == []


def test_looking_for_faces_leaves_random_numbers_and_threads_alone(astronaut: np.ndarray) -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    threads = torch.get_num_threads()
    find_faces(astronaut[:200, 100:300])
    assert torch.equal(torch.rand(1), expected)
    assert torch.get_num_threads() == threads


def test_a_photo_framed_like_the_training_images_is_its_own_viewport() -> None:
    assert fills(Viewport(-10 + 8j, 195 + 10j), 200, 200)
    assert not fills(Viewport(0j, 130 + 0j), 200, 200)  # smaller than the photo
    assert not fills(Viewport(60 + 0j, 200 + 0j), 200, 200)  # beside it
    assert not fills(Viewport(200 + 0j, 200j), 200, 200)  # turned by 90°
    assert not fills(Viewport(0j, 200 + 0j), 200, 320)  # the photo shows more


def test_an_upright_viewport_is_a_crop() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    assert torch.allclose(see(rgb, Viewport(8 + 4j, 32 + 0j), 32), lightness(rgb[4:36, 8:40]), atol=1e-5)


def test_a_large_viewport_is_averaged_down_not_picked_from() -> None:
    board = np.zeros((256, 256, 3), np.uint8)
    board[::2, ::2] = board[1::2, 1::2] = 255
    seen = see(board, Viewport(0j, 256 + 0j), 16)
    assert seen.std() < 0.02


def test_a_turned_viewport_shows_a_turned_picture_upright(astronaut: np.ndarray) -> None:
    photo = resized(astronaut, 128, 128)
    quarter = np.rot90(photo)  # against the clock: what was the right edge is the upper one
    viewport = Viewport(128j, -128j)
    assert torch.allclose(see(quarter, viewport, 128), lightness(photo), atol=1e-4)


def test_outside_the_photo_its_edge_is_repeated() -> None:
    ramp = torch.linspace(-1, 1, 8).expand(1, 1, 8, 8)
    seen = look(ramp, Viewport(-8 + 0j, 24 + 0j), 24)
    assert torch.allclose(seen[..., :8], torch.tensor(-1.0))


def test_shrinking_in_bands_gives_what_shrinking_at_once_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (101, 67, 3), np.uint8)
    at_once = shrunk(rgb, 3)
    monkeypatch.setattr("zoo.faces.viewport._BAND", 500)
    assert np.array_equal(shrunk(rgb, 3), at_once)
    assert at_once.shape == (34, 23, 3)
