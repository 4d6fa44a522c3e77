"""The page's formulas are the library's: each is given the same numbers in Chromium and in Python."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from support.chromium import NEEDED
from support.demo import Modules, array, pixels, rgba
from support.pictures import picture
from support.scenes import face_in
from zoo.color.even import evened
from zoo.color.gamut import to_uint8
from zoo.color.upsample import chroma_field, upsample_chroma
from zoo.faces.box import TEMPLATE
from zoo.faces.detect import Face, fills
from zoo.faces.framing import Box
from zoo.faces.viewport import Viewport, fit_viewport, lightness, resized
from zoo.photos.composite import compose, paint
from zoo.photos.photo import Photo
from zoo.photos.scene import Sight, reduced
from zoo.photos.skin import find_skin

pytestmark = NEEDED
BYTE = 2 / 255  # of L: what one step of 8 bits can be, and a little more
TURNED = Viewport(75 + 45j, 80 + 15j)


def noise(*shape: int, seed: int = 0, scale: float = 0.3) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal(shape) * scale).astype(np.float32)


def photo(height: int, width: int) -> np.ndarray:
    """With something to see at every pixel."""
    small = np.asarray(picture(1, 64).resize((width, height)), np.int16)
    grain = np.random.default_rng(0).integers(-20, 20, small.shape, np.int16)
    return np.clip(small + grain, 0, 255).astype(np.uint8)


def torched(x: np.ndarray) -> Tensor:
    return torch.from_numpy(x)[None]


def square(viewport: Viewport) -> dict[str, list[float]]:
    return {key: [z.real, z.imag] for key, z in zip(("origin", "edge"), viewport)}


def test_colors_become_the_same_bytes_and_so_do_those_that_srgb_does_not_have(modules: Modules) -> None:
    L, ab = noise(1, 40, 50, scale=0.7).clip(-1, 1), noise(2, 40, 50, seed=1, scale=0.4)
    ab[:, :4] = 0
    body = """
      const out = new Uint8ClampedArray(3 * 2000);
      const [l, c] = [planes(L), planes(ab)];
      for (let i = 0; i < 2000; i++) color$.write(out, 3 * i, l.data[i], c.data[i], c.data[i + 2000]);
      return [...out];
    """
    found = np.array(modules.call(body, L=L, ab=ab)).reshape(40, 50, 3)
    expected = to_uint8(torched(L), torched(ab))[0].numpy()
    assert np.abs(found - expected.astype(int)).max() <= 1
    assert (found == expected).mean() > 0.999
    assert (found[:4] == found[:4, :, :1]).all()


@pytest.mark.parametrize("size", [(300, 421), (1300, 500), (400, 2100), (90, 60)])
def test_a_photo_is_seen_whole_at_the_size_and_with_the_lightness_that_the_library_sees(
    modules: Modules, size: tuple[int, int]
) -> None:
    rgb = photo(*size)
    body = """
      const seen = new photo$.Photo(new Uint8ClampedArray(bytes(pixels)), ...size);
      return [seen.canvas, seen.whole({ size: 128, stride: 16 }), seen.square(128)].map(given);
    """
    found = [array(each) for each in modules.call(body, pixels=rgba(rgb), size=size)]
    sight = Sight(size=128, stride=16, face_box=None, view_size=None, view_box=Box())
    small = reduced(rgb, 1024)
    side = max(small.shape)
    expected = [lightness(small), sight.whole(small).L, sight.face(resized(small, side, side)).L]
    for x, wanted in zip(found, expected, strict=True):
        assert x.shape == tuple(wanted.shape[1:])
        assert np.abs(x - wanted[0].numpy()).max() < 4 * BYTE
        assert np.abs(x - wanted[0].numpy()).mean() < BYTE / 10


@pytest.mark.parametrize("viewport", [TURNED, Viewport(-20 - 15j, 350 + 0j), Viewport(20 + 20j, 50 - 8j)])
def test_a_face_is_seen_through_its_square(modules: Modules, viewport: Viewport) -> None:
    rgb = photo(250, 320)
    body = "return given(new photo$.Photo(bytes(pixels), 250, 320).through(square, 128));"
    found = array(modules.call(body, pixels=rgba(rgb), square=square(viewport)))
    sight = Sight(size=128, stride=16, face_box=None, view_size=None, view_box=Box())
    expected = sight.through(rgb, viewport).L[0].numpy()
    assert np.abs(found - expected).max() < 4 * BYTE
    assert np.abs(found - expected).mean() < BYTE / 10


def test_two_eyes_in_any_order_give_the_square_of_training_images(modules: Modules) -> None:
    template = fit_viewport(face_in(TURNED).landmarks[:2], TEMPLATE[:2])
    box = Box(-0.1, -0.26, 1.18)
    eyes = face_in(TURNED).landmarks[1::-1].tolist()
    body = "return square$.around(square$.squareOf(eyes, template), box);"
    found = modules.call(body, eyes=eyes, template=TEMPLATE[:2].tolist(), box=box)
    expected = template.of(box.inverse())
    assert found["origin"] == pytest.approx([expected.origin.real, expected.origin.imag])
    assert found["edge"] == pytest.approx([expected.edge.real, expected.edge.imag])
    assert modules.call(body, eyes=eyes, template=TEMPLATE[:2].tolist(), box=None) == {
        key: pytest.approx(value) for key, value in square(TURNED).items()
    }


@pytest.mark.parametrize("edge", [640, 460, 400])
def test_a_face_that_fills_the_photo_is_told(modules: Modules, edge: int) -> None:
    viewport = Viewport(10 + 20j, edge + 0j)
    body = "return new photo$.Photo(bytes(pixels), 500, 500).filledBy(square);"
    assert modules.call(body, pixels=rgba(photo(500, 500)), square=square(viewport)) == fills(viewport, 500, 500)


@pytest.mark.parametrize("size", [(16, 24), (13, 9), (40, 64)])
def test_chroma_is_enlarged_with_lightness_as_its_guide(modules: Modules, size: tuple[int, int]) -> None:
    ab, L = noise(2, *size), noise(1, 40, 64, seed=1)
    body = (
        "const [c, l] = [planes(ab), planes(L)]; return [chroma$.enlarged(c, l), chroma$.chromaField(c, l)].map(given);"
    )
    enlarged, field = (array(each) for each in modules.call(body, ab=ab, L=L))
    assert np.abs(enlarged - upsample_chroma(torched(ab), torched(L))[0].numpy()).max() < 1e-5
    assert np.abs(field - chroma_field(torched(ab), torched(L))[0].numpy()).max() < 1e-4


@pytest.mark.parametrize("narrow", [1.0, 0.6, 0.1, -0.1])
def test_a_face_has_its_square_in_profile_too(modules: Modules, narrow: float) -> None:
    """Narrow, and with its nose in front: to the right, or to the left."""
    points = np.random.default_rng(0).normal(0, 1, (5, 2)) + face_in(Viewport(20 + 10j, 100 + 7j)).landmarks
    points[:, 0] = 60 + abs(narrow) * (points[:, 0] - 60)
    points[2, 0] += 20 * np.sign(narrow) * (abs(narrow) < 0.5)
    face = Face(points, (25.0, 14.0, 95.0, 110.0), 1.0)
    body = "return detect$.squareFitting({ box, points }, template);"
    found = modules.call(body, box=list(face.box), points=points.tolist(), template=TEMPLATE.tolist())
    wanted = face.viewport(None)
    assert complex(*found["origin"]) == pytest.approx(wanted.origin, abs=1e-6)
    assert complex(*found["edge"]) == pytest.approx(wanted.edge, abs=1e-6)
    assert (wanted.edge.imag == 0) == (abs(narrow) < 0.5)


@pytest.mark.parametrize("size", [(48, 64), (40, 36), (6, 30)])
def test_chroma_is_evened_out_where_lightness_is(modules: Modules, size: tuple[int, int]) -> None:
    L, ab = noise(1, *size, seed=1, scale=0.005), noise(2, *size, scale=0.1)
    L[:, size[0] // 3 :, : size[1] // 2] += 0.3
    found = array(modules.call("return given(even$.evened(planes(ab), planes(L)));", ab=ab, L=L))
    expected = evened(torched(ab), torched(L))[0].numpy()
    assert np.abs(found - expected).max() < 1e-4


def test_a_photo_is_put_together_of_whole_faces_and_skin(modules: Modules) -> None:
    rgb = photo(250, 320)
    faces = [Viewport(75 + 45j, 80 + 15j), Viewport(280 + 150j, 60 + 0j), Viewport(100 + 100j, 20 + 2j)]
    colors = [
        noise(2, 128, 128, seed=i, scale=0.03) + np.array([0.1, 0.14], np.float32)[:, None, None] for i in (1, 2, 3)
    ]
    whole = noise(2, 96, 128, scale=0.05) + np.array([0.08, 0.12], np.float32)[:, None, None]
    templates = [viewport.of(Box(-0.1, -0.26, 1.18)) for viewport in faces]
    body = """
      const seen = new photo$.Photo(bytes(pixels), 250, 320);
      const placed = faces.map(({ square, ab }) => ({ square, ab: planes(ab) }));
      const field = skin$.fitted(photo$.compose(seen.canvas, planes(whole), placed), seen.canvas, templates);
      return [given(field), text(photo$.paint(seen, field))];
    """
    told = [{"square": square(viewport), "ab": ab} for viewport, ab in zip(faces, colors)]
    found, painted = modules.call(
        body, pixels=rgba(rgb), whole=whole, faces=told, templates=[square(each) for each in templates]
    )
    L = lightness(rgb)
    field = compose(L, torched(whole), [(viewport, torched(ab)) for viewport, ab in zip(faces, colors)])
    slope, offset = field.chunk(2, dim=1)
    skin = find_skin(slope * L + offset, templates)
    assert skin is not None
    assert float(skin.body.max()) > 0.5
    assert np.abs(array(found) - skin.fitted(field)[0].numpy()).max() < 1e-3
    expected = paint(Photo.from_array(rgb), skin.fitted(field))
    seen = pixels(painted, 250, 320)
    assert np.abs(seen[..., :3] - expected.astype(int)).max() <= 1
    assert (seen[..., 3] == 255).all()


@pytest.mark.parametrize("tone", [(0.0, -0.2), (0.01, 0.01), (0.5, 0.5)])
def test_what_no_skin_can_be_colors_no_skin(modules: Modules, tone: tuple[float, float]) -> None:
    field = np.zeros((4, 60, 60), np.float32)
    field[2:] = np.array(tone)[:, None, None]
    field[2:, 40:] += 0.01
    body = "return given(skin$.fitted(planes(field), planes(L), [square]));"
    found = modules.call(body, field=field, L=noise(1, 60, 60), square=square(Viewport(10 + 5j, 40 + 0j)))
    assert (array(found) == field).all()


def test_noise_is_normal_and_of_its_seed(modules: Modules) -> None:
    body = "return [7, 7, 8].map(seed => given(new Planes(1, 1, 40000, noise$.normal(seed, 40000))));"
    same, again, other = (array(found)[0, 0] for found in modules.call(body))
    assert (same == again).all()
    assert abs(np.corrcoef(same, other)[0, 1]) < 0.03
    assert abs(np.corrcoef(same[1:], same[:-1])[0, 1]) < 0.03
    assert np.quantile(same, [0.023, 0.159, 0.5, 0.841, 0.977]) == pytest.approx([-2, -1, 0, 1, 2], abs=0.06)
