"""Parts of a colouring that a visitor keeps while all else is coloured anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zoo.errors import ZooError

if TYPE_CHECKING:
    from zoo.photos.keeping import Kept

_FADE = 1 / 40  # of the longer side: over so much around a part old and new colours mix, so that no edge shows

Size = tuple[int, int]  # (height, width) in pixels


@dataclass(frozen=True)
class Part:
    """A rectangle; all in fractions of the picture's width and height."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def between(cls, one: Sequence[int], other: Sequence[int], size: Size) -> Part:
        """Its opposite corners are pixels ``one`` and ``other``, each (x, y), of a picture of ``size``."""
        height, width = size
        (left, right), (top, bottom) = (sorted(pair) for pair in zip(one, other, strict=True))
        return cls(left / width, top / height, min(1.0, (right + 1) / width), min(1.0, (bottom + 1) / height))

    def holds(self, x: float, y: float) -> bool:
        return self.left <= x <= self.right and self.top <= y <= self.bottom

    def box(self, size: Size) -> tuple[int, int, int, int]:
        """Left, top, right and bottom in pixels of a picture of ``size``; the last two are outside."""
        height, width = size
        return (
            round(self.left * width),
            round(self.top * height),
            round(self.right * width),
            round(self.bottom * height),
        )


@dataclass(frozen=True)
class Keep:
    """``parts`` of an earlier colouring, a file, that stay."""

    source: Path
    parts: tuple[Part, ...]

    def holds(self, x: float, y: float) -> bool:
        return any(part.holds(x, y) for part in self.parts)

    def read(self, size: Size) -> Kept:
        """For a photo of ``size``. Raises `ZooError`: the file is gone."""
        from zoo.photos.keeping import Kept
        from zoo.photos.photo import read_photo

        height, width = size
        try:
            earlier = read_photo(self.source, max_pixels=height * width)
        except ZooError as error:
            raise ZooError(
                "the colouring of which a part was kept is gone; undo that, or open the photo anew"
            ) from error
        return Kept(earlier.rgb, mask(self.parts, size))


def mask(parts: Sequence[Part], size: Size) -> np.ndarray:
    """(H, W) uint8: 255 in all ``parts``, and around each less and less, down to 0."""
    height, width = size
    fade = max(1.0, _FADE * max(size))
    kept = np.zeros(size, np.uint8)
    for part in parts:
        left, top, right, bottom = part.box(size)
        rows, columns = _fading(height, top, bottom, fade), _fading(width, left, right, fade)
        np.maximum(kept, (np.outer(rows, columns) / np.float32(255)).round().astype(np.uint8), out=kept)
    return kept


def _fading(side: int, start: int, end: int, fade: float) -> np.ndarray:
    """(side,) uint16: 255 from ``start`` to ``end``, falling to 0 within ``fade`` pixels on both sides."""
    at = np.arange(side, dtype=np.float32)
    away = np.maximum(np.maximum(start - at, at - (end - 1)), 0) / fade
    near = np.clip(1 - away, 0, 1)
    return (255 * near * near * (3 - 2 * near)).round().astype(np.uint16)
