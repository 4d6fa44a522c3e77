"""Keep a part: two taps mark it, a button keeps its colours, and the rest of the photo is coloured anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image, ImageDraw

from zoo.app.display import grey
from zoo.app.parts import Keep, Part

_WORDS = """\
Tap two opposite corners of a part whose colours shall stay, a face perhaps; mark others in the same way. The rest is a
new guess each time.
"""
_LINE = 1 / 400  # how thick a line is, as a part of the picture's longer side
MOST = 20  # parts of one photo


@dataclass(frozen=True)
class Keeping:
    """What a visitor has marked and kept of one photo.

    Attributes:
        parts: marked.
        corner: the first one, a pixel (x, y) of what is shown, of a part whose second one is to come.
        kept: one after the other, the last one in force.
    """

    parts: tuple[Part, ...] = ()
    corner: tuple[int, int] | None = None
    kept: tuple[Keep, ...] = ()

    @property
    def last(self) -> Keep | None:
        return self.kept[-1] if self.kept else None

    def tapped(self, at: Sequence[int], size: tuple[int, int]) -> Keeping:
        """A corner more, at pixel (x, y) of a picture of ``size`` (h, w)."""
        if self.corner is None:
            return replace(self, corner=(at[0], at[1]))
        return replace(self, parts=(*self.parts, Part.between(self.corner, at, size)), corner=None)

    def unmarked(self) -> Keeping:
        """Without the last mark."""
        return replace(self, parts=self.parts if self.corner else self.parts[:-1], corner=None)

    def keep(self, source: Path) -> Keeping:
        """The marked parts of this colouring stay."""
        return replace(self, corner=None, kept=(*self.kept, Keep(source, self.parts)))

    def undone(self) -> Keeping:
        """As before the last `keep`."""
        return replace(self, kept=self.kept[:-1])


@dataclass(frozen=True)
class Marking:
    """The controls. ``keeping``: the `Keeping` so far."""

    keeping: gr.State
    place: gr.Accordion
    photo: gr.Image
    keep: gr.Button
    unmark: gr.Button
    undo: gr.Button

    @property
    def all(self) -> list[Any]:
        return [self.keeping, self.photo, self.keep, self.unmark, self.undo]

    def changed(self, keeping: Keeping) -> dict[Any, Any]:
        """The buttons that go with it."""
        marked = bool(keeping.parts)
        return {
            self.keeping: keeping,
            self.keep: gr.Button(interactive=marked),
            self.unmark: gr.Button(interactive=marked or keeping.corner is not None),
            self.undo: gr.Button(interactive=bool(keeping.kept)),
        }

    def shown(self, picture: Path, keeping: Keeping) -> dict[Any, Any]:
        return {self.place: gr.Accordion(visible=True), self.photo: framed(picture, keeping)}

    def cleared(self) -> dict[Any, Any]:
        return {self.place: gr.Accordion(visible=False), self.photo: None, **self.changed(Keeping())}


def lay_marking() -> Marking:
    with gr.Accordion("Keep a part, colour the rest anew", open=False, visible=False, elem_id="keeping") as place:
        gr.Markdown(_WORDS)
        photo = gr.Image(show_label=False, interactive=False, buttons=[], container=False, elem_id="kept-photo")
        with gr.Row():
            keep = gr.Button("Keep this, colour the rest anew", interactive=False, min_width=240, elem_id="keep")
            unmark = gr.Button("Unmark", interactive=False, min_width=80, elem_id="unmark")
            undo = gr.Button("Undo", interactive=False, min_width=80, elem_id="keep-undo")
    return Marking(gr.State(Keeping()), place, photo, keep, unmark, undo)


def framed(picture: Path, keeping: Keeping) -> np.ndarray:
    """(H, W, 3) uint8: what stays has its colours and a frame; once a part is marked, all else is paler."""
    with Image.open(picture) as image:
        drawn = image.convert("RGB")
    size = drawn.height, drawn.width
    if keeping.parts:
        color = drawn
        drawn = Image.blend(color, Image.fromarray(grey(np.asarray(color))), 0.8)
        for part in keeping.parts:
            box = part.box(size)
            drawn.paste(color.crop(box), box)
    pen, line = ImageDraw.Draw(drawn), max(1, round(_LINE * max(size)))
    for left, top, right, bottom in (part.box(size) for part in keeping.parts):
        for grown, ink in ((3 * line, "black"), (2 * line, "white"), (line, "black")):
            pen.rectangle((left - grown, top - grown, right + grown - 1, bottom + grown - 1), outline=ink, width=line)
    if keeping.corner:
        x, y = keeping.corner
        for ink, thick, long in (("black", 5 * line, 11 * line), ("white", 2 * line, 9 * line)):
            pen.line((x - long, y, x + long, y), fill=ink, width=thick)
            pen.line((x, y - long, x, y + long), fill=ink, width=thick)
    return np.asarray(drawn)
