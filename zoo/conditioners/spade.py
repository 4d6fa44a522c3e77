"""SPADE: feature maps scale and shift each downsampling stage, position by position (Park et al. 2019)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.conditioners import Context
from zoo.conditioners._per_stage import PerStage
from zoo.diffusion.layers import GROUP
from zoo.errors import ZooError
from zoo.features import FeatureLevel, Features, FeatureSpec
from zoo.registry import conditioners


@conditioners.register("spade")
class Spade(PerStage):
    """A mix of all maps → SiLU → 3×3 convolution → scale γ and shift β of each stage's input h, at every position.

    Park et al. put norm(h)·(1 + γ) + β in the place of h. Here it is h + norm(h)·γ + β, with γ and β zero at the
    start: so this pair, too, starts as the unconditioned net, whose h is not normalised at this place.

    Args:
        hidden: channels of the mix, which γ and β share.
    """

    def __init__(self, spec: FeatureSpec, denoiser_levels: tuple[FeatureLevel, ...], *, hidden: int = 64) -> None:
        if hidden < 1:
            raise ZooError(f"hidden must be at least 1, not {hidden}")
        super().__init__(spec, denoiser_levels, [hidden] * len(denoiser_levels))
        widths = [level.channels for level in denoiser_levels]
        self.modulate = nn.ModuleList(nn.Conv2d(hidden, 2 * width, 3, padding=1) for width in widths)
        for parameter in self.modulate.parameters():
            nn.init.zeros_(parameter)
        self.null = nn.ParameterList(nn.Parameter(torch.zeros(2 * width, 1, 1)) for width in widths)

    def prepare(self, features: Features, size: tuple[int, int]) -> Context:
        mixed = super().prepare(features, size)  # each (N, hidden, h, w)
        return tuple(conv(F.silu(m)) for conv, m in zip(self.modulate, mixed, strict=True))  # each (N, 2C, h, w)

    def inject(self, h: Tensor, level: int, context: Context) -> Tensor:
        gamma, beta = context[level].chunk(2, dim=1)  # (N, C, h, w)
        groups = self.denoiser_levels[level].channels // GROUP
        return h + F.group_norm(h, groups) * gamma + beta
