"""A part of a colouring is marked by two taps and kept, in headless Chromium, on a screen and on a phone."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from support.chromium import FIRST_ON_A_SCREEN, NEEDED, sync_api
from support.visiting import Visit

pytestmark = NEEDED
PART = (slice(40, 100), slice(50, 120))  # well inside what the taps mark: rows and columns of the photo
REST = (slice(0, 150), slice(150, 200))


def pixels(file: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(file)))


def tap(visit: Visit, place: str, x: float, y: float) -> None:
    """At fractions of the picture in ``place``."""
    picture = visit.page.locator(f"{place} img")
    box = picture.bounding_box()
    picture.click(position={"x": x * box["width"], "y": y * box["height"]})
    visit.page.wait_for_timeout(1500)  # the mark is drawn: taps before are lost


def new(visit: Visit, *others: bytes) -> bytes:
    """The file that can be had, once it is none of ``others``."""
    visit.becomes(lambda file: file not in others)
    return visit.result()


def test_a_marked_part_stays_while_the_rest_is_new_takes_said_colors_and_is_undone(
    visit: Visit, old_photo: Path
) -> None:
    page, expect = visit.page, sync_api.expect
    page.locator("#checkpoint input").click()
    page.get_by_role("option", name="listening").click()
    visit.upload(old_photo)
    visit.says("200 × 160 pixels")
    expect(page.locator("#keeping")).to_be_hidden()
    page.locator("#color").click()
    visit.says("Done")
    first = visit.result()
    page.locator("#keeping button").first.click()
    expect(page.locator("#keep")).to_be_disabled()
    tap(visit, "#kept-photo", 0.2, 0.2)
    expect(page.locator("#unmark")).to_be_enabled()
    tap(visit, "#kept-photo", 0.65, 0.7)
    visit.look("9-marked")
    page.locator("#keep").click()
    second = new(visit, first)
    expect(page.locator("#compared")).to_be_in_viewport(ratio=0.9)
    page.locator("#keep").click()
    third = new(visit, first, second)
    tap(visit, "#said-photo", 0.9, 0.2)
    fourth = new(visit, first, second, third)
    visit.look("10-kept")
    for before, after in ((first, second), (second, third), (third, fourth)):
        assert np.array_equal(pixels(after)[PART], pixels(before)[PART])
        assert (pixels(after) != pixels(before))[REST].any(axis=2).mean() > 0.3
    tap(visit, "#said-photo", 0.4, 0.4)
    expect(page.get_by_test_id("toast-text")).to_contain_text("a part that stays as it is")
    page.locator("#undo").click()
    visit.becomes(lambda file: file == third)
    for earlier in (second, first):
        page.locator("#keep-undo").click()
        visit.becomes(lambda file, earlier=earlier: file == earlier)  # type: ignore[misc]
    expect(page.locator("#keep-undo")).to_be_disabled()
    page.locator("#unmark").click()
    expect(page.locator("#keep")).to_be_disabled()
    page.locator("#examples button").nth(3).click()
    expect(page.locator("#keeping")).to_be_hidden()
    assert visit.fits()


@FIRST_ON_A_SCREEN
def test_of_several_samples_the_chosen_one_is_kept_in_all(visit: Visit) -> None:
    page = visit.page
    page.locator("#checkpoint input").click()
    page.get_by_role("option", name="listening").click()
    page.locator("#examples button").nth(3).click()
    visit.says("192 × 192 pixels")
    number = page.get_by_label("number input for Samples")
    number.fill("2")
    number.press("Tab")
    page.locator("#color").click()
    visit.says("2 samples")
    first = visit.result()
    page.locator("#samples button").nth(1).click()
    chosen = new(visit, first)
    page.locator("#keeping button").first.click()
    page.wait_for_timeout(1000)  # it opens
    tap(visit, "#kept-photo", 0.1, 0.1)
    tap(visit, "#kept-photo", 0.6, 0.6)
    page.locator("#keep").click()
    again = new(visit, first, chosen)
    page.locator("#samples button").nth(1).click()
    other = new(visit, first, chosen, again)
    part = (slice(30, 100), slice(30, 100))
    for file in (again, other):
        assert np.array_equal(pixels(file)[part], pixels(chosen)[part])
    assert not np.array_equal(pixels(first)[part], pixels(chosen)[part])
