"""Greyscale encoders. Every module here is the encoder of its name; modules with a leading underscore are shared."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from zoo.features import Features, FeatureSpec
from zoo.framing import Box


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
        version: raise it when the same weights give other features (preprocessing, choice of maps).
        licence: of the pretrained weights, for tables.
    """

    frame: Box | None = None
    weights_sha: str | None = None
    version: int = 1
    licence: str = "MIT"

    def __init__(self, spec: FeatureSpec, *, frozen: bool = False) -> None:
        super().__init__()
        self.spec = spec
        self.frozen = frozen

    @abstractmethod
    def forward(self, L: Tensor) -> Features:
        """Features of ``L`` (N, 1, H, W) in [-1, 1], as `spec` declares them."""

    def train(self, mode: bool = True) -> Encoder:
        super().train(mode and not self.frozen)
        return self

    def freeze(self) -> None:
        """Call at the end of a subclass's ``__init__``: applies ``frozen`` to what was built."""
        if self.frozen:
            self.requires_grad_(False)
            self.eval()
