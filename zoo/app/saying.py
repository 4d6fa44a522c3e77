"""Colours that a visitor says: pick one, click the place that has it, and the photo is coloured with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from zoo.photos.hints import Hint

MOST = 50  # colours said of one photo
_FIRST = "#8c5a3c"
_RADIUS = 1 / 60  # of a mark, as a part of the shown picture's longer side


@dataclass(frozen=True)
class Saying:
    """The controls. ``said``: the hints so far, in their order."""

    said: gr.State
    place: gr.Column
    photo: gr.Image
    color: gr.ColorPicker
    undo: gr.Button
    forget: gr.Button

    def shown(self, picture: Path, said: Sequence[Hint]) -> dict[Any, Any]:
        """``picture`` with what was ``said``, and the buttons that go with it."""
        some = bool(said)
        return {
            self.said: list(said),
            self.photo: marked(picture, said),
            self.undo: gr.Button(interactive=some),
            self.forget: gr.Button(interactive=some),
        }


def lay_saying(before: Path, *, visible: bool) -> Saying:
    with gr.Column(visible=visible, elem_id="saying") as place:
        gr.Markdown("### Say a colour\nPick one, then click the place that has it. It spreads over what belongs to it.")
        with gr.Row():
            color = gr.ColorPicker(_FIRST, label="Colour", min_width=120, elem_id="said-color")
            undo = gr.Button("Undo", interactive=False, min_width=80, elem_id="undo")
            forget = gr.Button("Forget all", interactive=False, min_width=80, elem_id="forget")
        photo = gr.Image(
            marked(before, ()), show_label=False, interactive=False, buttons=[], container=False, elem_id="said-photo"
        )
    return Saying(gr.State([]), place, photo, color, undo, forget)


def hint_at(index: Sequence[int], color: str, size: tuple[int, int]) -> Hint:
    """The hint of a click at ``index`` (x, y) on a picture of ``size`` (h, w), as fractions of the photo.

    Raises:
        ZooError: no such colour.
    """
    from zoo.photos.hints import Hint

    (x, y), (height, width) = index, size
    return Hint(min((x + 0.5) / width, 1.0), min((y + 0.5) / height, 1.0), as_hex(color))


def as_hex(color: str) -> str:
    """``"rgba(140, 90.4, 60, 1)"``, as browsers' colour pickers say it, to ``"#8c5a3c"``; anything else stays."""
    numbers = re.findall(r"[\d.]+", color) if color.startswith("rgb") else []
    return "#" + "".join(f"{min(255, round(float(n))):02x}" for n in numbers[:3]) if len(numbers) >= 3 else color


def marked(picture: Path, said: Sequence[Hint]) -> np.ndarray:
    """(H, W, 3) uint8: a mark in its colour at each place."""
    with Image.open(picture) as image:
        drawn = image.convert("RGB")
    radius = max(4.0, _RADIUS * max(drawn.size))
    pen = ImageDraw.Draw(drawn)
    for hint in said:
        x, y = hint.x * drawn.width, hint.y * drawn.height
        for grown, fill in ((2, "black"), (1, "white"), (-1, hint.color)):
            reach = radius + grown
            pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=fill)
    return np.asarray(drawn)
