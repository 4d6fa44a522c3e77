"""Colours that a user says: at a place of a photo, and then in every picture of it that a model sees."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zoo.color.lab import uint8_to_lab
from zoo.diffusion.hints import Known
from zoo.errors import ZooError
from zoo.photos.scene import Scene

_EXPECTED = "expected X,Y,#RRGGBB, as in 120,80,#a03020 (pixels) or 0.5,0.25,#a03020 (fractions of width and height)"
_REACH = 1  # positions around the one in which a hint lies that are told the same: the largest patches of training
_LONGEST = 60  # characters of what is wrong, in messages


@dataclass(frozen=True)
class Hint:
    """A colour at a place. Its hue and chroma count; lightness is the photo's.

    Args:
        x, y: from the upper left corner. An int counts pixels; a float is a fraction of the width, or height.
        color: ``"#RRGGBB"``, sRGB.

    Raises:
        ZooError: no such numbers or colour.
    """

    x: float
    y: float
    color: str

    def __post_init__(self) -> None:
        if not (isinstance(self.color, str) and re.fullmatch(r"#?[0-9a-fA-F]{6}", self.color)):
            raise ZooError(f"hint: {_shown(self.color)} is no colour; {_EXPECTED}")
        for value in (self.x, self.y):
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ZooError(f"hint: {_shown(value)} is no number; {_EXPECTED}")
            if isinstance(value, float) and not 0 <= value <= 1:
                raise ZooError(f"hint: {value} has a point, so it is a fraction, and not in 0 to 1; {_EXPECTED}")

    @classmethod
    def of(cls, given: Any) -> Hint:
        """A hint, its text ``"X,Y,#RRGGBB"`` (a number with a point is a fraction), or ``(x, y, color)``."""
        if isinstance(given, Hint):
            return given
        parts: Any = [part.strip() for part in given.split(",")] if isinstance(given, str) else given
        if not isinstance(parts, Sequence) or len(parts) != 3:
            raise ZooError(f"hint {_shown(given)}: {_EXPECTED}")
        x, y, color = parts
        return cls(_number(x), _number(y), color) if isinstance(given, str) else cls(x, y, color)

    @property
    def ab(self) -> Tensor:
        """(1, 2, 1, 1), as `zoo.color.lab` scales it."""
        rgb = torch.tensor([*bytes.fromhex(self.color.removeprefix("#"))], dtype=torch.uint8)
        return uint8_to_lab(rgb[None, None, None])[1]

    def place(self, height: int, width: int) -> complex:
        """Where it lies in a photo of that size, x + iy in its pixels. Raises `ZooError` where that is outside."""
        found = []
        for value, side, name in ((self.x, width, "wide"), (self.y, height, "high")):
            if isinstance(value, int) and not 0 <= value < side:
                raise ZooError(f"hint {self}: pixel {value} is outside the photo, which is {side} pixels {name}")
            found.append(value + 0.5 if isinstance(value, int) else min(value * side, side - 0.5))
        return complex(*found)

    def __str__(self) -> str:
        return f"{self.x},{self.y},{self.color}"


def read_hints(path: Path) -> list[Hint]:
    """A file with one hint a line. Raises `ZooError` that names the line."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ZooError(f"--hints {path} cannot be read as text ({error})") from error
    found = []
    for number, line in enumerate(lines, 1):
        try:
            found += [Hint.of(line)] if line.strip() else []
        except ZooError as error:
            raise ZooError(f"{path}, line {number}: {error}") from error
    return found


def known(scene: Scene, picture: int, hints: Sequence[Hint], scale: int) -> Known:
    """What is known of the chroma of one picture of ``scene``, at 1/``scale`` of its size: patches around the hints
    that lie in it; where two meet, the later one's."""
    height, width = (side // scale for side in scene.pictures[picture].L.shape[-2:])
    ab, mask = torch.zeros(1, 2, height, width), torch.zeros(1, 1, height, width)
    rows, columns = scene.photo.rgb.shape[:2]
    for hint in hints:
        at = hint.place(rows, columns)
        if picture:
            viewport = scene.viewports[picture - 1]
            at = (at - viewport.origin) / viewport.edge
        else:
            at = complex(at.real / columns, at.imag / rows)
        if 0 <= at.real < 1 and 0 <= at.imag < 1:
            row, column = int(at.imag * height), int(at.real * width)
            patch = (..., _around(row), _around(column))
            ab[patch], mask[patch] = hint.ab, 1
    return ab, mask


def _around(position: int) -> slice:
    return slice(max(0, position - _REACH), position + _REACH + 1)


def _number(text: str) -> float:
    """An int, if it is written as one."""
    try:
        return int(text) if re.fullmatch(r"[+-]?\d{1,9}", text) else float(text)
    except ValueError:
        raise ZooError(f"hint: {_shown(text)} is no number; {_EXPECTED}") from None


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
