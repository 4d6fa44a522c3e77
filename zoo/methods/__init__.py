"""Methods: how colours come about. Every module here is the method of its name.

None of them brings in torch before it colours, so that a table of results can ask what a method is like.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import torch
    from torch import Tensor

    from zoo.cache.images import ImageCache, View
    from zoo.data import Dataset
    from zoo.diffusion.samplers import SamplerConfig
    from zoo.features import Features
    from zoo.model import ColorDiffusion

OpenView = Callable[["View"], "ImageCache"]  # another view of the images that are coloured, in the same order


@dataclass(frozen=True)
class Photos:
    """A batch to colour.

    Attributes:
        indices: (N,) of the images, for other views of them.
        L: (N, 1, H, W) in [-1, 1].
        ab: (N, 2, H, W), the true ones: for a method that shows what could be reached, and nobody else.
        keys: their names in the dataset, for a method that has its colours from elsewhere.
        hints: (N, K, 2) where a method that `Method.hints` may look at ``ab``: x and y in fractions of the image; None:
            nowhere.
    """

    indices: np.ndarray
    L: Tensor
    ab: Tensor
    keys: tuple[str, ...] = ()
    hints: Tensor | None = None

    def first(self, n: int) -> Photos:
        hints = None if self.hints is None else self.hints[:n]
        return Photos(self.indices[:n], self.L[:n], self.ab[:n], self.keys[:n], hints)


@dataclass(frozen=True)
class Materials:
    """What a method may be made of.

    Attributes:
        model: the trained one; None for a method that `Method.trains` none.
        sampler: how a model is sampled.
        chroma_scale: photos are this many times as wide as what a denoiser sees of their ab.
        train_images: the images to learn from, as they are coloured; None for a method that does not `Method.learns`.
        scored: the images that will be coloured, as they are coloured.
        dataset: where all of them come from.
        cache_dir: for decoded images.
    """

    model: ColorDiffusion | None
    sampler: SamplerConfig
    chroma_scale: int
    train_images: ImageCache | None
    scored: ImageCache
    dataset: Dataset
    cache_dir: Path


class Method(ABC):
    """Colours photos. What its samples share is computed once per photo, by `encode`.

    A method without a model needs `sample` alone. Everything is called without gradients.

    Attributes:
        trains: a model of the chosen encoder and conditioner is trained for it; without, those two play no part.
        draws: its colours depend on a seed (of initial weights, or of noise), so that several are of interest.
        defaults: options that it lays over the configuration, by their full names, as in
            ``{"diffusion.schedule": "none"}``.
        learns: its colours depend on the photos to train on, with a model or without.
        reads: options of the denoiser on which the colours of a method that trains nothing depend.
    """

    trains: bool = False
    draws: bool = False
    defaults: Mapping[str, Any] = MappingProxyType({})
    reads: tuple[str, ...] = ()
    learns: bool = True

    @classmethod
    def of(cls, materials: Materials, **options: Any) -> Method:
        """One that is ready to `open`."""
        return cls(**options)

    @classmethod
    def contents(cls, materials: Materials, **options: Any) -> dict[str, str]:
        """A sha256 of what is read where each option points that is a path; it stands for the path in what the run is.
        Called before anything is coloured: raises `ZooError` where that will not do."""
        return {}

    def open(self, dataset: Dataset, open_view: OpenView, image_size: int, device: str) -> None:
        """Called once before anything is coloured, with where the photos come from, their side in pixels and where
        their tensors are. Raises `ZooError` where it cannot colour such photos."""

    def encode(self, photos: Photos) -> Features:
        """What all samples of these photos share; ``Features()`` if nothing."""
        from zoo.features import Features

        return Features()

    @property
    def hints(self) -> bool:
        """Whether it heeds colours that it is told at some places."""
        return False

    def lightness(self, photos: Photos) -> Tensor:
        """(N, 1, H, W), with which its colours are joined: the photos', but for what brings its own."""
        return photos.L

    @abstractmethod
    def sample(self, photos: Photos, features: Features, generators: Sequence[torch.Generator]) -> Tensor:
        """One sample of ab (N, 2, H, W); all randomness comes from ``generators``, one per photo."""
