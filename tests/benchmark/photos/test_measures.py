"""What is measured of coloured photos: where, how, and what is said of many."""

from __future__ import annotations

import numpy as np
import pytest

from zoo.benchmark.photos.measures import LINES, Line, hue, measure, told
from zoo.benchmark.photos.regions import Regions, regions
from zoo.faces.detect import Face

SKIN, OTHER_SKIN, LIPS, SKY = (16.0, 18.0), (20.0, 22.0), (38.0, 16.0), (-5.0, -20.0)
FACE = Face(np.zeros((5, 2)), (10.0, 5.0, 30.0, 35.0), 0.99)


def plain(ab: tuple[float, float], height: int = 60, width: int = 80) -> np.ndarray:
    return np.broadcast_to(np.array(ab), (height, width, 2)).copy()


def test_a_face_is_an_ellipse_and_skin_outside_has_its_colour() -> None:
    ab = plain(SKY)
    ab[:40, :32] = SKIN
    ab[44:50] = OTHER_SKIN  # alike, a neck
    ab[52:] = LIPS  # red, but not skin of this face
    found = regions(ab, [FACE])
    y, x = np.nonzero(found.faces)
    assert (x.min(), x.max(), y.min(), y.max()) == (10, 29, 5, 34)
    assert found.faces.sum() == pytest.approx(np.pi * 10 * 15, rel=0.02)
    assert found.skin[46].all()
    assert found.skin[2, 2]
    assert not found.skin[52:].any()
    assert not found.skin[:, 40:44].any(axis=1)[:40].any()
    assert (found.faces.astype(int) + found.skin + found.elsewhere == 1).all()


def test_without_a_face_nothing_is_called_skin() -> None:
    assert not regions(plain(SKIN), []).skin.any()


def test_a_face_without_skin_colour_calls_nothing_skin() -> None:
    ab = plain(SKIN)
    ab[5:35, 10:30] = (0, 0)  # a grey statue with a speck of dirt, before a wall of wood
    ab[20, 10:30] = SKIN
    assert not regions(ab, [FACE]).skin.any()


def test_neutral_is_what_has_hardly_any_chroma() -> None:
    ab = plain((3, 3))
    ab[:10] = (4, 4)
    assert regions(ab, []).neutral.sum() == 50 * 80


def rgb(*rows: tuple[int, int, int]) -> np.ndarray:
    """A picture of rows of one colour each, ten pixels wide."""
    return np.array(rows, np.uint8)[:, None].repeat(10, axis=1)


def everywhere(*rows: str) -> Regions:
    masks = (np.array([name == part for part in rows])[:, None].repeat(10, axis=1) for name in ("f", "s", "e"))
    return Regions(*masks, np.zeros((len(rows), 10), bool))


def test_distances_belong_to_their_places() -> None:
    """sRGB (255, 0, 0) has a*, b* of 80.1, 67.2; (0, 0, 255) 79.2, −107.9."""
    truth, red_to_blue = rgb((255, 0, 0), (0, 0, 255), (90, 90, 90)), rgb((0, 0, 255), (0, 0, 255), (90, 90, 90))
    found = measure(red_to_blue, truth, everywhere("f", "s", "e"))
    assert found["distance_faces"] == pytest.approx(175.1, abs=0.3)
    assert (found["distance_skin"], found["distance_elsewhere"]) == (0, 0)
    assert found["distance"] == pytest.approx(175.1 / 3, abs=0.1)
    assert found["cast_b"] == pytest.approx(-175.1 / 3, abs=0.1)
    assert found["cast_a"] == pytest.approx(-0.9 / 3, abs=0.1)


def test_a_place_that_is_not_there_has_no_value() -> None:
    found = measure(rgb((9, 9, 9)), rgb((90, 20, 20)), everywhere("e"))
    assert np.isnan(found["distance_faces"])
    assert np.isnan(found["neutral_a"])


def test_grey_is_not_farther_from_the_truth_than_grey() -> None:
    truth = rgb((120, 100, 90), (90, 90, 91))
    where = everywhere("e", "e")
    assert measure(rgb((105, 105, 105), (90, 90, 90)), truth, where)["farther_than_grey"] == 0
    assert measure(rgb((90, 100, 140), (90, 90, 91)), truth, where)["farther_than_grey"] == 1


def test_colourfulness_is_told_with_its_sign_and_without() -> None:
    grey, red = rgb((90, 90, 90), (30, 30, 30)), rgb((90, 90, 90), (200, 30, 30))
    paler = measure(grey, red, everywhere("e", "e"))
    assert paler["colorfulness_diff"] == -paler["colorfulness_abs_diff"] == -paler["colorfulness_truth"] < 0


def test_a_mean_is_over_photos_that_have_the_place_and_its_interval_holds_it() -> None:
    found = told(Line("", ("x",)), {"x": np.array([1.0, np.nan, 3.0, 5.0])})
    assert (found.value, found.n) == (3, 3)
    assert 1 <= found.low < 3 < found.high <= 5


def test_an_interval_is_about_two_standard_errors_to_each_side() -> None:
    x = np.random.default_rng(1).normal(10, 3, 400)
    found = told(Line("", ("x",)), {"x": x})
    assert found.high - found.low == pytest.approx(2 * 1.96 * x.std() / 20, rel=0.1)


def test_a_hue_turns_round_without_a_step() -> None:
    """Colours around 180°: neither is their mean 0° nor the interval wide."""
    b = np.array([-1.0, 1.0] * 20)
    line = Line("", ("a", "b"), hue, turns=True)
    found = told(line, {"a": np.full(40, -10.0), "b": b})
    assert abs(found.value) == pytest.approx(180)
    assert 1 < found.high - found.low < 5


def test_grey_has_no_hue() -> None:
    line = Line("", ("a", "b"), hue, turns=True)
    assert np.isnan(told(line, {"a": np.zeros(3), "b": np.full(3, 0.1)}).value)


def test_a_share_of_colourfulness_is_one_of_means() -> None:
    (line,) = (line for line in LINES if "colorfulness_truth" in line.measures)
    found = told(line, {"colorfulness": np.array([10.0, 20.0]), "colorfulness_truth": np.array([20.0, 100.0])})
    assert found.value == pytest.approx(25)
