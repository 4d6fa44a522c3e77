"""The same colour for every photo."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zoo.errors import ZooError
from zoo.methods import Materials, Method, OpenView, Photos
from zoo.registry import methods

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from zoo.cache.images import ImageCache
    from zoo.data import Dataset
    from zoo.features import Features

_BATCH = 64


@methods.register("mean")
class MeanMethod(Method):
    """For each pixel the mean colour of the training photos. Nothing else is trained.

    Args:
        ab: (2, H, W).
    """

    def __init__(self, ab: Tensor) -> None:
        self.ab = ab

    @classmethod
    def of(cls, materials: Materials, **options: Any) -> Method:
        if materials.train_images is None:
            raise ValueError(f"{cls.__name__} needs training images")
        return cls(mean_of(materials.train_images), **options)

    def open(self, dataset: Dataset, open_view: OpenView, image_size: int, device: str) -> None:
        if self.ab.shape != (2, image_size, image_size):
            raise ZooError(
                f"a mean colour of shape {tuple(self.ab.shape)} cannot colour images of {image_size} pixels; "
                "take that of training images of the same size"
            )
        self.ab = self.ab.to(device)

    def sample(self, photos: Photos, features: Features, generators: Sequence[torch.Generator]) -> Tensor:
        return self.ab.expand_as(photos.ab)


def mean_of(images: ImageCache) -> Tensor:
    """The mean ab (2, H, W) of ``images``, summed batch by batch in float64."""
    import numpy as np
    import torch

    from zoo.color.lab import uint8_to_lab

    total = torch.zeros(2, images.size, images.size, dtype=torch.float64)
    for start in range(0, len(images), _BATCH):
        indices = np.arange(start, min(start + _BATCH, len(images)))
        total += uint8_to_lab(torch.from_numpy(images.batch(indices)))[1].sum(dim=0, dtype=torch.float64)
    return (total / len(images)).float()
