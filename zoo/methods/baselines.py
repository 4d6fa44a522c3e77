"""Colourers that train nothing, for every table: no colour, an average one, and the best that there could be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from zoo.cache.images import ImageCache
from zoo.color.lab import uint8_to_lab
from zoo.color.upsample import downsample_chroma, upsample_chroma
from zoo.data import Dataset
from zoo.errors import ZooError
from zoo.features import Features
from zoo.methods.colorer import OpenView, Photos

_BATCH = 64


class _Untrained:
    """Needs no features, and draws nothing: all samples are alike."""

    def open(self, dataset: Dataset, open_view: OpenView, image_size: int, device: str) -> None:
        pass

    def encode(self, photos: Photos) -> Features:
        return Features((), None)


class Grey(_Untrained):
    """No colour: ab = 0."""

    def sample(self, photos: Photos, features: Features, generators: Sequence[torch.Generator]) -> Tensor:
        return torch.zeros_like(photos.ab)


class Mean(_Untrained):
    """The same colour for every photo: that of an average one, pixel by pixel.

    Args:
        ab: (2, H, W).
    """

    def __init__(self, ab: Tensor) -> None:
        self.ab = ab

    @classmethod
    def of(cls, images: ImageCache) -> Mean:
        """The mean of ``images``, at their size, summed batch by batch in float64."""
        size = images.view.size
        total = torch.zeros(2, size, size, dtype=torch.float64)
        for start in range(0, len(images), _BATCH):
            indices = np.arange(start, min(start + _BATCH, len(images)))
            total += uint8_to_lab(torch.from_numpy(images.batch(indices)))[1].sum(dim=0, dtype=torch.float64)
        return cls((total / len(images)).float())

    def open(self, dataset: Dataset, open_view: OpenView, image_size: int, device: str) -> None:
        if self.ab.shape != (2, image_size, image_size):
            raise ZooError(
                f"a mean colour of shape {tuple(self.ab.shape)} cannot colour images of {image_size} pixels; "
                "take that of training images of the same size"
            )
        self.ab = self.ab.to(device)

    def sample(self, photos: Photos, features: Features, generators: Sequence[torch.Generator]) -> Tensor:
        return self.ab.expand_as(photos.ab)


class Truth(_Untrained):
    """The true colours, there and back through the resolution at which a denoiser works: the best it could reach.

    Args:
        chroma_scale: of the denoiser; 1: the photos themselves.
    """

    def __init__(self, chroma_scale: int) -> None:
        if chroma_scale < 1:
            raise ZooError(f"chroma_scale={chroma_scale}: expected at least 1")
        self.chroma_scale = chroma_scale

    def open(self, dataset: Dataset, open_view: OpenView, image_size: int, device: str) -> None:
        if image_size % self.chroma_scale:
            raise ZooError(f"image_size={image_size} is no multiple of chroma_scale={self.chroma_scale}")

    def sample(self, photos: Photos, features: Features, generators: Sequence[torch.Generator]) -> Tensor:
        return upsample_chroma(downsample_chroma(photos.ab, self.chroma_scale), photos.L)
