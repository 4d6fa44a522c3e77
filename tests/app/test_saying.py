"""Colours that a visitor says by a click."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from zoo.app.saying import as_hex, hint_at, marked
from zoo.errors import ZooError
from zoo.photos.hints import Hint


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("#a06040", "#a06040"),
        ("rgba(160, 96.4, 64, 1)", "#a06040"),
        ("rgb(0,0,255.6)", "#0000ff"),
        ("tomato", "tomato"),
    ],
)
def test_a_picked_color_is_read_as_browsers_say_it(said: str, expected: str) -> None:
    assert as_hex(said) == expected


def test_a_click_is_a_hint_at_that_pixel_of_what_is_shown() -> None:
    hint = hint_at((30, 10), "#5a8a60", (40, 60))
    assert hint.place(80, 120) == 61 + 21j
    assert hint.color == "#5a8a60"
    assert hint_at((60, 40), "#5a8a60", (40, 60)).place(40, 60) == 59.5 + 39.5j
    with pytest.raises(ZooError, match="no colour"):
        hint_at((0, 0), "tomato", (40, 60))


def test_marks_lie_where_colors_were_said_in_these_colors(photo: Path) -> None:
    plain = marked(photo, ())
    drawn = marked(photo, [Hint(0.25, 0.75, "#5a8a60")])
    assert drawn[30, 12].tolist() == [0x5A, 0x8A, 0x60]
    changed = np.nonzero((plain != drawn).any(axis=2))
    assert np.hypot(changed[0] - 30, changed[1] - 12).max() < 9
