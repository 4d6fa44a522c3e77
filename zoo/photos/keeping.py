"""Part of an earlier colouring kept, while the rest of the photo is coloured anew."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image

from zoo.color.gamut import to_uint8
from zoo.color.lab import uint8_to_lab
from zoo.errors import ZooError
from zoo.photos.hints import Hint
from zoo.photos.photo import Photo, read_photo

if TYPE_CHECKING:
    from zoo.photos.colorizer import Colored, Colorizer
    from zoo.photos.options import ColorizeOptions
    from zoo.photos.previews import OnStep

_MOST_HINTS, _FINEST = 25, 32  # colours of what is kept that a model is told; squares along the longer side
_ROUNDING = 0.27 / 50  # of L by 8 bits: see `to_uint8`
_BAND = 1 << 19  # pixels that are mixed at once


@dataclass(frozen=True, eq=False)
class Kept:
    """What is kept of an earlier colouring.

    Attributes:
        rgb: (H, W, 3) uint8 sRGB, that colouring.
        mask: (H, W) uint8: 255 where its colours are kept, 0 where not, a mixture between.
    """

    rgb: np.ndarray
    mask: np.ndarray

    @classmethod
    def read(cls, photo: Path, mask: Path, earlier: Path | None) -> Kept:
        """Of the file ``earlier``, or else of ``photo`` itself; ``mask`` is white where colours are kept.

        Raises:
            ZooError: a file cannot be read, their sizes differ, or there is no colour to keep.
        """
        source = photo if earlier is None else earlier
        colored, white = read_photo(source), read_photo(mask)
        if not colored.has_color:
            hint = "; give --keep-from a colouring of it" if earlier is None else ""
            raise ZooError(f"{source} has no colours to keep{hint}")
        size = read_photo(photo).rgb.shape[:2]
        for path, other in ((source, colored), (mask, white)):
            if other.rgb.shape[:2] != size:
                (height, width), (h, w) = other.rgb.shape[:2], size
                raise ZooError(f"{path} is {width} × {height} pixels, not {w} × {h} as {photo}")
        return cls(colored.rgb, white.rgb[..., 1])

    def recolor(
        self, photo: Photo, colorizer: Colorizer, options: ColorizeOptions, *, on_step: OnStep | None = None
    ) -> Colored:
        """Colour all of ``photo`` anew but for what is kept. A model that can be told colours is told those, so that
        the rest fits. As `Colorizer.colorize_photos`."""
        if colorizer.hints:
            options = replace(options, hints=(*self.hints(), *options.hints))  # of two in one place, the later counts
        told = self._in_previews(on_step) if on_step else None
        colored = colorizer.colorize_photos([photo], options, on_step=told)[0]
        spread = colored.spread
        if spread is not None:
            spread = spread * (1 - self._weight(spread.shape))  # what is kept is the same in all samples
        return replace(colored, samples=[self.over(rgb, photo) for rgb in colored.samples], spread=spread)

    def hints(self) -> list[Hint]:
        """The kept colours: one in each square that is all kept, of the finest grid with no more than 25 of those."""
        height, width = self.mask.shape
        for cells in range(_FINEST, 0, -1):
            size = tuple(max(1, round(cells * side / max(height, width))) for side in (height, width))
            rows, columns = np.nonzero(self._weight(size) == 1)
            if len(rows) <= _MOST_HINTS:
                break
        colors = _shrunk(self.rgb, size)
        return [
            Hint((x + 0.5) / size[1], (y + 0.5) / size[0], "#" + bytes(colors[y, x]).hex())
            for y, x in zip(rows.tolist(), columns.tolist())
        ]

    def over(self, rgb: np.ndarray, photo: Photo) -> np.ndarray:
        """A new colouring ``rgb`` (H, W, 3) uint8 of ``photo``, with the kept colours over it; L is the photo's.

        Where all of one colouring counts, and it has the photo's lightness, its bytes stay: nothing wears off, however
        often it is kept.
        """
        mixed = np.empty_like(rgb)
        step = max(1, _BAND // rgb.shape[1])
        for start in range(0, len(rgb), step):
            rows = slice(start, start + step)
            new, kept = (uint8_to_lab(torch.from_numpy(each[rows].copy())[None]) for each in (rgb, self.rgb))
            weight = torch.from_numpy(self.mask[rows].copy())[None, None].float() / 255
            L = photo.L(rows)
            mixed[rows] = to_uint8(L, torch.lerp(new[1], kept[1], weight))[0].numpy()
            for (lightness, _), pixels, all_of_it in ((new, rgb, 0), (kept, self.rgb, 255)):
                same = ((L - lightness).abs() <= _ROUNDING)[0, 0].numpy() & (self.mask[rows] == all_of_it)
                mixed[rows][same] = pixels[rows][same]
        return mixed

    def _in_previews(self, on_step: OnStep) -> OnStep:
        """``on_step``, told of previews in which is what is kept."""

        def told(done: int, previews: list[np.ndarray] | None) -> None:
            on_step(done, previews and [self._glimpse(preview) for preview in previews])

        return told

    def _glimpse(self, preview: np.ndarray) -> np.ndarray:
        """A small picture (h, w, 3) uint8 with what is kept over it: good enough to see."""
        size = preview.shape[:2]
        kept = _shrunk(self.rgb, size).astype(np.float32)
        return (preview + self._weight(size)[..., None] * (kept - preview)).round().astype(np.uint8)

    def _weight(self, size: tuple[int, ...]) -> np.ndarray:
        """(h, w) float32 in [0, 1]: the mask at that size."""
        return _shrunk(self.mask, size).astype(np.float32) / 255


def _shrunk(pixels: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """(H, W) or (H, W, 3) uint8, averaged to (h, w)."""
    return np.asarray(Image.fromarray(pixels).resize((size[1], size[0]), Image.Resampling.BOX))
