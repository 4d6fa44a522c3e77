"""Greyscale encoders. Every module here is the encoder of its name; modules with a leading underscore are shared."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from torch import Tensor, nn

from zoo.faces.framing import Box
from zoo.features import Features, FeatureSpec
from zoo.progress import OnStep


class Images(Protocol):
    """The training images, as an encoder that learns of them first sees them."""

    @property
    def size(self) -> int:
        """Side in pixels."""

    @property
    def manifest(self) -> str:
        """sha256 that names them and what they show."""

    def __len__(self) -> int: ...

    def batch(self, indices: np.ndarray) -> np.ndarray:
        """Images ``indices`` (n,) → (n, S, S, C) uint8, a copy."""


Teach = Callable[[Any], Path]  # a recipe (`zoo.encoders.unet_ae.Recipe`) → the file of what was taught by it


class Encoder(nn.Module, ABC):
    """L → features. Runs once per image, never once per sampling step; it does not know t.

    A subclass calls ``super().__init__(spec, frozen=...)``, sets up its network and implements `forward`.
    It owns all that its network needs of the input beyond framing: grey→RGB, normalisation, resize.

    Attributes:
        spec: what `forward` gives, declared before any weight is loaded.
        frame: the square it wants to see, in fractions of the 112×112 ArcFace template's square
            (so ``Box(0, 0, 1)`` is that template); None: the whole image, wherever the face is.
        frozen: no gradients, always in eval mode. Its features are then computed once and cached.
        weights_sha: sha256 of the pretrained weights in use, or None. Part of the feature cache's key.
        weights_stored: its pretrained weights are the user's own and published nowhere: a model file holds them even
            when they are frozen. It is then built with ``weights=None`` and filled, so that must need no file.
        version: raise it when the same weights give other features (preprocessing, choice of maps).
        licence: of the pretrained weights, for tables.
    """

    frame: Box | None = None
    weights_sha: str | None = None
    weights_stored: bool = False
    version: int = 1
    license: str = "MIT"

    def __init__(self, spec: FeatureSpec, *, frozen: bool = False) -> None:
        super().__init__()
        self.spec = spec
        self.frozen = frozen

    @classmethod
    def in_use(cls, options: dict[str, Any]) -> dict[str, Any]:
        """``options`` but for those that nothing reads: two that agree in these are one encoder, and one run."""
        return options

    @abstractmethod
    def forward(self, L: Tensor) -> Features:
        """Features of ``L`` (N, 1, H, W) in [-1, 1], as `spec` declares them."""

    def pretrain(
        self, images: Images, *, cache_dir: Path, device: str = "cpu", on_step: OnStep | None = None, teach: Teach
    ) -> None:
        """Called once before training; an encoder that has to learn something of the training images does so here.

        It keeps what it learns in ``cache_dir`` and sets ``weights_sha``. A run is known by the encoder's options and
        by these images, so the result must depend on nothing else.

        Args:
            images: the training images as the denoiser sees them.
            cache_dir: for results that may be deleted at any time. Other processes may be at work in it.
            device: where to compute.
            on_step: wants to hear of each step.
            teach: the project's own trainer: pretrains an autoencoder on these images, or finds the result.
        """

    def train(self, mode: bool = True) -> Encoder:
        super().train(mode and not self.frozen)
        return self

    def freeze(self) -> None:
        """Call at the end of a subclass's ``__init__``: applies ``frozen`` to what was built."""
        if self.frozen:
            self.requires_grad_(False)
            self.eval()


def drawn(options: dict[str, Any]) -> dict[str, Any]:
    """``options`` without weights where they are drawn (``pretrained: false``): nothing reads them then."""
    return options if options.get("pretrained", True) else {k: v for k, v in options.items() if k != "weights"}
