"""The original project's encoder: the downsampling half of its UNet, on L, trained jointly with it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from zoo.denoisers.origin import Dropout, Stage, downsampled, downsamplings
from zoo.encoders import Encoder
from zoo.features import FeatureLevel, Features, FeatureSpec
from zoo.registry import encoders


@encoders.register("origin")
class OriginEncoder(Encoder):
    """Maps of each stage, from full resolution on: 128, 128, 256 and 384 channels. No tokens.

    Args:
        width: channels of the entry.
        mults: channels behind each downsampling, as multiples of ``width``; the last is not needed and not made.
        dropout: before each downsampling.
        frozen: no training.
    """

    def __init__(
        self,
        *,
        width: int = 128,
        mults: Sequence[int] = (1, 2, 3, 3),
        dropout: float = 0.3,
        frozen: bool = False,
    ) -> None:
        widths = [width, *(width * m for m in mults)]
        levels = tuple(FeatureLevel(c, 2**i) for i, c in enumerate(widths[:-1]))
        super().__init__(FeatureSpec(levels), frozen=frozen)
        self.dropout = dropout
        self.conv_in = nn.Conv2d(1, width, 7, padding=3)
        self.stages = nn.ModuleList(Stage(level.channels, level.channels, None) for level in levels)
        self.downsample = nn.ModuleList(downsamplings(widths, [0] * len(mults))[:-1])
        self.freeze()

    def forward(self, L: Tensor) -> Features:
        drop = Dropout(self.dropout if self.training else 0.0, L)
        height, width = L.shape[-2:]
        coarsest = self.spec.levels[-1].stride
        L = F.pad(L, (0, -width % coarsest, 0, -height % coarsest), mode="replicate")
        h = self.stages[0](self.conv_in(L), None)  # (N, width, H, W)
        maps = [h]
        for down, stage in zip(self.downsample, itertools.islice(self.stages, 1, None), strict=True):
            h = stage(downsampled(h, down, drop), None)
            maps.append(h)
        strides = [level.stride for level in self.spec.levels]
        return Features(tuple(m[..., : -(-height // s), : -(-width // s)] for m, s in zip(maps, strides)))
