"""Part of an earlier colouring kept, while the rest of the photo is coloured anew."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from zoo.color.gamut import to_uint8
from zoo.color.lab import uint8_to_lab
from zoo.errors import ZooError
from zoo.photos.photo import Photo, read_photo

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

    def over(self, rgb: np.ndarray, photo: Photo) -> np.ndarray:
        """A new colouring ``rgb`` (H, W, 3) uint8 of ``photo``, with the kept colours over it; L is the photo's."""
        mixed = np.empty_like(rgb)
        step = max(1, _BAND // rgb.shape[1])
        for start in range(0, len(rgb), step):
            rows = slice(start, start + step)
            new, kept = (uint8_to_lab(torch.from_numpy(each[rows].copy())[None])[1] for each in (rgb, self.rgb))
            weight = torch.from_numpy(self.mask[rows].copy())[None, None].float() / 255
            mixed[rows] = to_uint8(photo.L(rows), torch.lerp(new, kept, weight))[0].numpy()
        return mixed
