"""Addition: feature maps added to the input of every downsampling stage, as ControlNet does (Zhang et al. 2023)."""

from __future__ import annotations

from torch import Tensor

from zoo.conditioners import Context
from zoo.conditioners._per_stage import PerStage
from zoo.features import FeatureLevel, FeatureSpec
from zoo.registry import conditioners


@conditioners.register("add")
class Add(PerStage):
    """Each stage's input gets a 1×1 mix of all maps, resized to its resolution, added; the mixes start at zero.

    The denoiser keeps its shape: unlike with `concat`, nothing behind the sum is wider for it.
    """

    def __init__(self, spec: FeatureSpec, denoiser_levels: tuple[FeatureLevel, ...]) -> None:
        super().__init__(spec, denoiser_levels, [level.channels for level in denoiser_levels], zero=True)

    def inject(self, h: Tensor, level: int, context: Context) -> Tensor:
        return h + context[level]
