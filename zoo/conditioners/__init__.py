"""Conditioning methods. Every module here is the conditioner of its name; a leading underscore marks shared ones."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor, nn

from zoo.errors import ZooError
from zoo.features import FeatureLevel, Features, FeatureSpec

Context = tuple[Tensor, ...]  # each (N, ...); what it holds is the conditioner's own business


class Conditioner(nn.Module, ABC):
    """The only thing that knows how features enter the denoiser. Built from a spec, never from an encoder.

    A subclass registers, in the order of its context, one learned null per context tensor (`null`), broadcastable
    to it: training replaces the context by them with probability ``p_uncond``, guidance extrapolates away from them.

    What it injects starts at zero, so that every pair starts as the same unconditioned net.

    Attributes:
        uses_encoder: whether it looks at what the encoder gives.
        version: raise it when the same options inject something else; part of the ids of runs.

    Args:
        spec: what the encoder promises.
        denoiser_levels: the denoiser's stages, fine → coarse; strides relative to the image.

    Raises:
        ZooError: the pair is impossible; the text says why.
    """

    uses_encoder: bool = True
    version: int = 1

    def __init__(self, spec: FeatureSpec, denoiser_levels: tuple[FeatureLevel, ...]) -> None:
        super().__init__()
        if self.uses_encoder and not spec.levels and spec.token_dim is None:
            raise ZooError(
                "this encoder gives neither maps nor tokens: there is nothing to condition on; use the conditioner none"
            )
        self.spec = spec
        self.denoiser_levels = denoiser_levels
        self.null = nn.ParameterList()

    @classmethod
    def in_use(cls, options: dict[str, Any]) -> dict[str, Any]:
        """``options`` but for those that nothing reads: two that agree in these are one conditioner, and one run."""
        return options

    @classmethod
    def in_use_for(cls, options: dict[str, Any], spec: FeatureSpec) -> dict[str, Any]:
        """The same for an encoder of ``spec``: numbers of its maps from all of them on are one number."""
        return options

    @abstractmethod
    def prepare(self, features: Features, size: tuple[int, int]) -> Context:
        """All that does not depend on t, once per image. ``size``: height and width of the image in pixels."""

    def extra_channels(self, level: int) -> int:
        """How many channels `inject` joins to the input of this level."""
        return 0

    def inject(self, h: Tensor, level: int, context: Context) -> Tensor:
        """At each downsampling stage: ``h`` (N, C, h, w) → (N, C + extra_channels(level), h, w)."""
        return h

    def embed(self, context: Context) -> Tensor | None:
        """Something to add to the time embedding, (N, embed_dim), or None."""
        return None

    def drop(self, context: Context, where: Tensor) -> Context:
        """The context with the learned null in place of the images marked in ``where`` (N,) bool."""
        return tuple(
            torch.where(where.view(-1, *[1] * (c.dim() - 1)), null.to(c.dtype), c)
            for c, null in zip(context, self.null, strict=True)
        )
