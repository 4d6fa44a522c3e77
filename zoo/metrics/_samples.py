"""Metrics that compare several colourings of one image with each other."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor

from zoo.errors import ZooError
from zoo.metrics import enough
from zoo.metrics._per_image import PerImageMetric

_IMAGES = 100


class SamplesMetric(PerImageMetric):
    """Gives one value per image, of several samples of it.

    Args:
        samples: of each image.
        images: only so many are measured, as each sample takes as long as colouring once; None: all.

    Raises:
        ZooError: fewer than two samples, or no image.
    """

    name: str

    def __init__(self, samples: int = 4, images: int | None = _IMAGES) -> None:
        super().__init__()
        if samples < 2:
            raise ZooError(f"samples={samples}: expected at least 2, to compare them")
        if images is not None and images < 1:
            raise ZooError(f"images={images}: expected at least 1, or null for all")
        self.samples, self.images = samples, images

    @classmethod
    def in_use_for(cls, options: dict[str, Any], images: int) -> dict[str, Any]:
        return {**options, "images": enough(options["images"], _IMAGES, images)} if "images" in options else options

    @abstractmethod
    def measure_samples(self, samples: Tensor, truth: Tensor) -> dict[str, Tensor]:
        """The values (N,) of each of `names`, for samples and truths as in `update_samples`."""

    def measure(self, pred: Tensor, truth: Tensor) -> dict[str, Tensor]:
        raise ZooError(f"metric {self.name} compares samples of one image; show it several, by update_samples")

    @torch.no_grad()
    def update_samples(self, samples: Tensor, truth: Tensor) -> None:
        self._keep(self.measure_samples(samples, truth))
