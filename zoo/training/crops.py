"""Training on squares of the images instead of all of each, drawn anew whenever one is seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from zoo.color.grey import stored_lightness
from zoo.errors import ZooError
from zoo.faces.framing import WHOLE, Box, resample


@dataclass(frozen=True)
class Crop:
    """Squares of ``size`` pixels out of larger images.

    Args:
        scales: smallest and largest side, in fractions of the image.
        size: of the result.
        view_size: side of what an encoder without a frame of its own wants to see of the square; None: the square.
    """

    scales: tuple[float, float]
    size: int
    view_size: int | None = None

    def __post_init__(self) -> None:
        low, high = self.scales
        if not 0 < low <= high <= 1:
            raise ZooError(
                f"crop must be the least and largest side in (0, 1], as in [0.5, 1], not {list(self.scales)}"
            )

    @property
    def source_size(self) -> int:
        """Side of the images out of which the smallest square has ``size`` pixels."""
        return round(self.size / self.scales[0])

    def boxes(self, n: int, generator: torch.Generator) -> list[Box]:
        """``n`` squares of uniform scale and place."""
        low, high = self.scales
        draws = torch.rand(n, 3, generator=generator, dtype=torch.float64).tolist()
        sides = [low + (high - low) * draw[0] for draw in draws]
        return [Box(x * (1 - side), y * (1 - side), side) for side, (_, x, y) in zip(sides, draws)]

    def seen(
        self, images: np.ndarray, views: np.ndarray | None, boxes: list[Box], crops: list[Box]
    ) -> tuple[np.ndarray, np.ndarray | None, list[Box]]:
        """What there is to see through ``crops``.

        Args:
            images: (n, S, S, 3) uint8.
            views: (n, s, s, 1), what an encoder with a frame of its own sees; that does not depend on the crop.
            boxes: where they lie in the images.

        Returns:
            (n, size, size, 3), views and where these lie in the squares.
        """
        squares = np.stack([resample(image, crop, self.size) for image, crop in zip(images, crops)])
        if views is not None:
            return squares, views, [crop.inverse().of(box) for crop, box in zip(crops, boxes)]
        if self.view_size is not None:
            seen = [resample(image, crop, self.view_size) for image, crop in zip(images, crops)]
            views = np.stack([stored_lightness(view) for view in seen])
        return squares, views, [WHOLE] * len(crops)
