"""A conditioner: one learned shift of every stage's channels, from the encoder's embedding."""

from __future__ import annotations

import torch
from torch import Tensor, nn

import zoo
from zoo.conditioners import Context


class Shift(zoo.Conditioner):
    """The mean token (or the mean of the coarsest map) → what is added to each stage of the denoiser."""

    def __init__(self, spec: zoo.FeatureSpec, denoiser_levels: tuple[zoo.FeatureLevel, ...]) -> None:
        super().__init__(spec, denoiser_levels)  # refuses an encoder without features
        dim = spec.token_dim if spec.token_dim is not None else spec.levels[-1].channels
        widths = [level.channels for level in denoiser_levels]
        self.norm = nn.LayerNorm(dim)
        self.shifts = nn.ModuleList(nn.Linear(dim, width) for width in widths)
        for parameter in self.shifts.parameters():
            nn.init.zeros_(parameter)  # every pair starts as the same unconditioned net
        self.null = nn.ParameterList(
            nn.Parameter(torch.zeros(width)) for width in widths
        )  # for images that are dropped

    def prepare(self, features: zoo.Features, size: tuple[int, int]) -> Context:  # once per image: not once per step
        mean = features.maps[-1].mean((2, 3)) if features.tokens is None else features.tokens.mean(1)  # (N, dim)
        vector = self.norm(mean)
        return tuple(shift(vector) for shift in self.shifts)  # each (N, C)

    def inject(self, h: Tensor, level: int, context: Context) -> Tensor:  # (N, C, h, w), at every downsampling stage
        return h + context[level][:, :, None, None]
