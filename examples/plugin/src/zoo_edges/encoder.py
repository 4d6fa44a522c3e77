"""An encoder: two strided convolutions on L, trained with the denoiser."""

from __future__ import annotations

from torch import Tensor, nn

import zoo


class Edges(zoo.Encoder):
    """Two maps, and the mean of the coarse one as a token.

    Args:
        width: channels of the fine map; the coarse one has twice as many.
        frozen: keep the random weights as they are.
    """

    def __init__(self, *, width: int = 32, frozen: bool = False) -> None:
        levels = (zoo.FeatureLevel(width, stride=4), zoo.FeatureLevel(2 * width, stride=8))
        super().__init__(zoo.FeatureSpec(levels, token_dim=2 * width), frozen=frozen)
        self.fine = nn.Sequential(nn.Conv2d(1, width, 7, stride=4, padding=3), nn.SiLU())
        self.coarse = nn.Sequential(nn.Conv2d(width, 2 * width, 3, stride=2, padding=1), nn.SiLU())
        self.freeze()  # applies `frozen`

    def forward(self, L: Tensor) -> zoo.Features:  # (N, 1, H, W) in [-1, 1]
        fine = self.fine(L)  # (N, width, H/4, W/4), rounded up
        coarse = self.coarse(fine)  # (N, 2·width, H/8, W/8)
        return zoo.Features((fine, coarse), coarse.mean((2, 3))[:, None])  # maps, tokens (N, 1, 2·width)
