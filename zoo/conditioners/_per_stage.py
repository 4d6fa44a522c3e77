"""What concat, add and spade share: for each stage of the denoiser a learned mix of all maps, at its resolution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from zoo.conditioners import Conditioner, Context
from zoo.conditioners._project import Summary, channel_norm, resize
from zoo.errors import ZooError
from zoo.features import FeatureLevel, Features, FeatureSpec


class PerStage(Conditioner):
    """The context is one map (N, widths[i], h_i, w_i) for each stage i.

    The mix is taken at each map's own resolution and then summed, which equals a 1×1 convolution over all maps
    resized and concatenated, at less cost. An encoder without maps has its token broadcast instead.

    Args:
        widths: channels of each stage's map.
        zero: start with all of them zero.
        source: ``"maps"``, or ``"embedding"``: the token is broadcast also where there are maps.
    """

    def __init__(
        self,
        spec: FeatureSpec,
        denoiser_levels: tuple[FeatureLevel, ...],
        widths: Sequence[int],
        *,
        zero: bool = False,
        source: str = "maps",
    ) -> None:
        super().__init__(spec, denoiser_levels)
        if source not in ("maps", "embedding"):
            raise ZooError(f"source={source!r}: expected maps or embedding")
        if source == "embedding" and spec.token_dim is None:
            raise ZooError("source=embedding: this encoder has no embedding; use source=maps")
        self.uses_maps = source == "maps" and bool(spec.levels)
        self.null = nn.ParameterList(nn.Parameter(torch.zeros(width, 1, 1)) for width in widths)
        if self.uses_maps:
            channels = [level.channels for level in spec.levels]
            self.norms = nn.ModuleList(channel_norm(c) for c in channels)
            self.mix = nn.ModuleList(nn.ModuleList(nn.Conv2d(c, width, 1) for c in channels) for width in widths)
        else:
            self.summary = Summary(spec)
            self.spread = nn.ModuleList(nn.Linear(self.summary.dim, width) for width in widths)
        if zero:
            for parameter in (self.mix if self.uses_maps else self.spread).parameters():
                nn.init.zeros_(parameter)

    def prepare(self, features: Features, size: tuple[int, int]) -> Context:
        sizes = [(-(-size[0] // level.stride), -(-size[1] // level.stride)) for level in self.denoiser_levels]
        if not self.uses_maps:
            vector = self.summary(features)
            return tuple(
                f(vector)[:, :, None, None].expand(-1, -1, *s) for f, s in zip(self.spread, sizes, strict=True)
            )
        maps = [norm(m) for norm, m in zip(self.norms, features.maps, strict=True)]
        return tuple(self._mixed(stage, maps, s) for stage, s in enumerate(sizes))

    def _mixed(self, stage: int, maps: list[Tensor], size: tuple[int, int]) -> Tensor:
        convs = cast(nn.ModuleList, self.mix[stage])
        return torch.stack([resize(conv(m), size) for conv, m in zip(convs, maps, strict=True)]).sum(0)
