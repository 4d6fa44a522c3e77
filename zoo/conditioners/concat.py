"""Concatenation: feature maps joined to the denoiser's input at every downsampling stage."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from zoo.conditioners import Conditioner, Context
from zoo.conditioners._per_stage import PerStage
from zoo.conditioners._project import resize
from zoo.diffusion.layers import GROUP
from zoo.errors import ZooError
from zoo.features import FeatureLevel, Features, FeatureSpec
from zoo.registry import conditioners


@conditioners.register("concat")
class Concat(PerStage):
    """Each stage gets a learned 1×1 mix of all maps, resized to its own resolution, as extra channels.

    Args:
        channels: joined at each stage, a multiple of 16.
        source: ``"maps"``, or ``"embedding"``: that alone, broadcast, so that the mechanism can be told from what it
            brings in.
        mix: False: each stage gets the map whose stride is nearest to its own, as it is (the original project's way).
    """

    def __init__(
        self,
        spec: FeatureSpec,
        denoiser_levels: tuple[FeatureLevel, ...],
        *,
        channels: int = 64,
        source: str = "maps",
        mix: bool = True,
    ) -> None:
        self.nearest: list[int] | None = None  # for each stage, which map
        if not mix:
            self._join_as_they_are(spec, denoiser_levels, source)
            return
        if channels < GROUP or channels % GROUP:
            raise ZooError(f"channels must be a multiple of {GROUP}, not {channels}")
        super().__init__(spec, denoiser_levels, [channels] * len(denoiser_levels), source=source)
        self.channels = channels

    def _join_as_they_are(self, spec: FeatureSpec, denoiser_levels: tuple[FeatureLevel, ...], source: str) -> None:
        if source != "maps" or not spec.levels:
            raise ZooError("mix=false joins maps as they are; it needs an encoder with maps and source=maps")
        Conditioner.__init__(self, spec, denoiser_levels)
        strides = [level.stride for level in spec.levels]
        self.nearest = [
            min(range(len(strides)), key=lambda i: abs(math.log(strides[i] / level.stride)))
            for level in denoiser_levels
        ]
        self.null = nn.ParameterList(nn.Parameter(torch.zeros(spec.levels[i].channels, 1, 1)) for i in self.nearest)

    @classmethod
    def in_use(cls, options: dict[str, Any]) -> dict[str, Any]:
        mixed = options.get("mix", True)
        return options if mixed else {name: value for name, value in options.items() if name != "channels"}

    def prepare(self, features: Features, size: tuple[int, int]) -> Context:
        if self.nearest is None:
            return super().prepare(features, size)
        sizes = [(-(-size[0] // level.stride), -(-size[1] // level.stride)) for level in self.denoiser_levels]
        return tuple(resize(features.maps[i], s) for i, s in zip(self.nearest, sizes, strict=True))

    def extra_channels(self, level: int) -> int:
        return self.channels if self.nearest is None else self.spec.levels[self.nearest[level]].channels

    def inject(self, h: Tensor, level: int, context: Context) -> Tensor:
        return torch.cat([h, context[level]], dim=1)
