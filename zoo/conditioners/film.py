"""FiLM: the encoder's embedding scales and shifts each downsampling stage (Perez et al. 2018)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo.conditioners import Conditioner, Context
from zoo.conditioners._project import Summary
from zoo.errors import ZooError
from zoo.features import FeatureLevel, Features, FeatureSpec
from zoo.registry import conditioners


@conditioners.register("film")
class FiLM(Conditioner):
    """One vector per image → scale and shift of each stage's input.

    An encoder without tokens has its coarsest map averaged instead.

    Args:
        hidden: width of the layer between the embedding and the scales.
    """

    def __init__(self, spec: FeatureSpec, denoiser_levels: tuple[FeatureLevel, ...], *, hidden: int = 256) -> None:
        super().__init__(spec, denoiser_levels)
        if hidden < 1:
            raise ZooError(f"hidden must be at least 1, not {hidden}")
        widths = [level.channels for level in denoiser_levels]
        self.summary = Summary(spec)
        self.hidden = nn.Sequential(nn.Linear(self.summary.dim, hidden), nn.SiLU())
        self.modulate = nn.ModuleList(nn.Linear(hidden, 2 * width) for width in widths)
        for layer in self.modulate:
            nn.init.zeros_(layer.weight)  # type: ignore[arg-type]
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        self.null = nn.ParameterList(nn.Parameter(torch.zeros(2 * width)) for width in widths)

    def prepare(self, features: Features, size: tuple[int, int]) -> Context:
        vector = self.hidden(self.summary(features))
        return tuple(layer(vector) for layer in self.modulate)  # each (N, 2C)

    def inject(self, h: Tensor, level: int, context: Context) -> Tensor:
        scale, shift = context[level][:, :, None, None].chunk(2, dim=1)  # (N, C, 1, 1)
        return h * (1 + scale) + shift
