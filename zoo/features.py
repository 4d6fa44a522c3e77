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

    def __post_init__(self) -> None:
        if not isinstance(self.levels, tuple) or not all(isinstance(level, FeatureLevel) for level in self.levels):
            raise TypeError(f"levels of a FeatureSpec must be a tuple of FeatureLevel, not {self.levels!r}")


class Features(NamedTuple):
    """What an encoder gives for N images: ``Features(maps)``, ``Features(tokens=tokens)``, or both."""

    maps: tuple[Tensor, ...] = ()  # each (N, C, ceil(H/stride), ceil(W/stride)), in the order of the spec
    tokens: Tensor | None = None  # (N, T, D)


def disagreement(features: object, spec: FeatureSpec, size: tuple[int, int], n: int) -> str | None:
    """How what an encoder gave for ``n`` images, seen at ``size``, is not what it declared; None: it is."""
    if not isinstance(features, Features):
        return f"forward gives a {type(features).__name__}, not zoo.Features(maps, tokens)"
    maps, tokens = features
    if not isinstance(maps, tuple) or not isinstance(tokens, Tensor | None):
        given = ", ".join(type(part).__name__ for part in features)
        return f"zoo.Features takes a tuple of maps and one tensor of tokens or None, not ({given})"
    if len(maps) != len(spec.levels):
        return f"declared {len(spec.levels)} maps, gave {len(maps)}"
    for i, (x, level) in enumerate(zip(maps, spec.levels, strict=True)):
        expected = (n, level.channels, *(-(-side // level.stride) for side in size))
        if tuple(x.shape) != expected:
            return f"declared map {i} as {expected}, gave {tuple(x.shape)}"
    if spec.token_dim is None or tokens is None:
        declared = "no tokens" if spec.token_dim is None else f"tokens of {spec.token_dim}"
        gave = "none" if tokens is None else "some"
        return None if spec.token_dim is None and tokens is None else f"declared {declared}, gave {gave}"
    if tokens.dim() != 3 or tokens.shape[0] != n or tokens.shape[2] != spec.token_dim:
        return f"declared tokens ({n}, T, {spec.token_dim}), gave {tuple(tokens.shape)}"
    return None
