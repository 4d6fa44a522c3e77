"""What gives photos their colour: a trained model, or a baseline (`zoo.methods.baselines`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from zoo.cache.images import ImageCache, View, encoder_view
from zoo.color.lab import uint8_to_lightness
from zoo.data import Dataset
from zoo.diffusion.samplers import SamplerConfig
from zoo.faces.framing import WHOLE, Box
from zoo.features import Features
from zoo.model import ColorDiffusion

OpenView = Callable[[View], ImageCache]  # another view of the images that are coloured, in the same order


@dataclass(frozen=True)
class Photos:
    """A batch to colour.

    Attributes:
        indices: (N,) of the images, for other views of them.
        L: (N, 1, H, W) in [-1, 1].
        ab: (N, 2, H, W), the true ones: for a baseline that shows what could be reached, and nobody else.
    """

    indices: np.ndarray
    L: Tensor
    ab: Tensor

    def first(self, n: int) -> Photos:
        return Photos(self.indices[:n], self.L[:n], self.ab[:n])


class Colorer(Protocol):
    """Colours photos. What its samples share is computed once per photo, by `encode`."""

    def open(self, dataset: Dataset, open_view: OpenView, image_size: int, device: str) -> None:
        """Called once before anything is coloured, with where the photos come from, their side in pixels and where
        their tensors are. Raises `ZooError` where it cannot colour such photos."""

    def encode(self, photos: Photos) -> Features:
        """What all samples of these photos share; ``Features((), None)`` if nothing."""

    def sample(self, photos: Photos, features: Features, generators: Sequence[torch.Generator]) -> Tensor:
        """One sample of ab (N, 2, H, W); all randomness comes from ``generators``, one per photo."""


class ModelColorer:
    """A diffusion model, sampled.

    Args:
        model: any, also a regression, whose samples are all alike.
        sampler: how it is sampled.
    """

    def __init__(self, model: ColorDiffusion, sampler: SamplerConfig) -> None:
        self.model, self.sampler = model, sampler
        self._views: ImageCache | None = None  # the photos as the encoder wants to see them; None: as they are
        self._box: Box = WHOLE

    def open(self, dataset: Dataset, open_view: OpenView, image_size: int, device: str) -> None:
        self.model.to(device).eval()
        view = None
        if self.model.conditioner.uses_encoder:
            view = encoder_view(self.model.encoder, dataset, image_size)
        self._views = open_view(view) if view else None
        self._box = view.box if view else WHOLE

    @torch.no_grad()
    def encode(self, photos: Photos) -> Features:
        seen = photos.L
        if self._views is not None:
            seen = uint8_to_lightness(torch.from_numpy(self._views.batch(photos.indices)).to(photos.L.device))
        return self.model.encode(seen, self._box)

    def sample(self, photos: Photos, features: Features, generators: Sequence[torch.Generator]) -> Tensor:
        return self.model.colorize(photos.L, features, self.sampler, list(generators))
