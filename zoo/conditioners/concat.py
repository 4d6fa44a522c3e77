"""Concatenation: feature maps joined to the denoiser's input at every downsampling stage."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from zoo.blocks import GROUP
from zoo.conditioners import Conditioner, Context
from zoo.conditioners._project import Summary, channel_norm, resize
from zoo.errors import ZooError
from zoo.features import FeatureLevel, Features, FeatureSpec
from zoo.registry import conditioners


@conditioners.register("concat")
class Concat(Conditioner):
    """Each stage gets a learned 1×1 mix of all maps, resized to its own resolution, as extra channels.

    The mix is taken at each map's own resolution and then summed, which equals a 1×1 convolution over all maps
    resized and concatenated, at less cost. An encoder without maps has its token broadcast instead.

    Args:
        channels: joined at each stage, a multiple of 16.
    """

    def __init__(self, spec: FeatureSpec, denoiser_levels: tuple[FeatureLevel, ...], *, channels: int = 64) -> None:
        super().__init__(spec, denoiser_levels)
        if channels < GROUP or channels % GROUP:
            raise ZooError(f"cond.channels must be a multiple of {GROUP}, not {channels}")
        self.channels = channels
        stages = range(len(denoiser_levels))
        self.null = nn.ParameterList(nn.Parameter(torch.zeros(channels, 1, 1)) for _ in stages)
        if spec.levels:
            widths = [level.channels for level in spec.levels]
            self.norms = nn.ModuleList(channel_norm(c) for c in widths)
            self.mix = nn.ModuleList(nn.ModuleList(nn.Conv2d(c, channels, 1) for c in widths) for _ in stages)
        else:
            self.summary = Summary(spec)
            self.spread = nn.ModuleList(nn.Linear(self.summary.dim, channels) for _ in stages)

    def prepare(self, features: Features, size: tuple[int, int]) -> Context:
        sizes = [(-(-size[0] // level.stride), -(-size[1] // level.stride)) for level in self.denoiser_levels]
        if not self.spec.levels:
            vector = self.summary(features)
            return tuple(
                f(vector)[:, :, None, None].expand(-1, -1, *s) for f, s in zip(self.spread, sizes, strict=True)
            )
        maps = [norm(m) for norm, m in zip(self.norms, features.maps, strict=True)]
        return tuple(self._mixed(stage, maps, s) for stage, s in enumerate(sizes))

    def _mixed(self, stage: int, maps: list[Tensor], size: tuple[int, int]) -> Tensor:
        convs = cast(nn.ModuleList, self.mix[stage])
        return torch.stack([resize(conv(m), size) for conv, m in zip(convs, maps, strict=True)]).sum(0)

    def extra_channels(self, level: int) -> int:
        return self.channels

    def inject(self, h: Tensor, level: int, context: Context) -> Tensor:
        return torch.cat([h, context[level]], dim=1)
