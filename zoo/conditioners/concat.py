"""Concatenation: feature maps joined to the denoiser's input at every downsampling stage."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.conditioners import Context
from zoo.conditioners._per_stage import PerStage
from zoo.diffusion.layers import GROUP
from zoo.errors import ZooError
from zoo.features import FeatureLevel, FeatureSpec
from zoo.registry import conditioners


@conditioners.register("concat")
class Concat(PerStage):
    """Each stage gets a learned 1×1 mix of all maps, resized to its own resolution, as extra channels.

    Args:
        channels: joined at each stage, a multiple of 16.
        source: ``"maps"``, or ``"embedding"``: that alone, broadcast, so that the mechanism can be told from what it
            brings in.
    """

    def __init__(
        self,
        spec: FeatureSpec,
        denoiser_levels: tuple[FeatureLevel, ...],
        *,
        channels: int = 64,
        source: str = "maps",
    ) -> None:
        if channels < GROUP or channels % GROUP:
            raise ZooError(f"cond.channels must be a multiple of {GROUP}, not {channels}")
        super().__init__(spec, denoiser_levels, [channels] * len(denoiser_levels), source=source)
        self.channels = channels

    def extra_channels(self, level: int) -> int:
        return self.channels

    def inject(self, h: Tensor, level: int, context: Context) -> Tensor:
        return torch.cat([h, context[level]], dim=1)
