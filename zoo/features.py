"""The contract between an encoder and a conditioner: what features there are, and the features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor


@dataclass(frozen=True)
class FeatureLevel:
    """One map of a pyramid: ``channels`` at 1/``stride`` of the encoder's input, rounded up."""

    channels: int
    stride: int


@dataclass(frozen=True)
class FeatureSpec:
    """What an encoder promises before any weight is loaded.

    Attributes:
        levels: its maps, fine → coarse; ``()`` if it gives none.
        token_dim: D of its tokens (N, T, D); None if it gives none.
        input_size: side in pixels at which it wants L; None: the model's own size.
    """

    levels: tuple[FeatureLevel, ...] = ()
    token_dim: int | None = None
    input_size: int | None = None


class Features(NamedTuple):
    """What an encoder gives for N images."""

    maps: tuple[Tensor, ...]  # each (N, C, ceil(H/stride), ceil(W/stride)), in the order of the spec
    tokens: Tensor | None  # (N, T, D)
