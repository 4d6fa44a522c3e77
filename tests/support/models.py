"""Small models for tests."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from zoo.encoders import Encoder
from zoo.features import FeatureLevel, Features, FeatureSpec
from zoo.model import ColorDiffusion
from zoo.registry import encoders

TINY_DENOISER = {"width": 32, "mults": [1, 1], "blocks": 1, "attention_levels": 1, "chroma_scale": 4, "patch": 1}
TINY_DIT = {"name": "dit", "dim": 32, "depth": 3, "mlp_ratio": 1, "enter_every": 2, "chroma_scale": 4, "patch": 1}


@encoders.register("counting")
class CountingEncoder(Encoder):
    """Frozen; its maps are L itself. Counts the images it has seen."""

    seen = 0

    def __init__(self) -> None:
        super().__init__(FeatureSpec((FeatureLevel(16, 1),)), frozen=True)

    def forward(self, L: Tensor) -> Features:
        type(self).seen += len(L)
        return Features((L.expand(-1, 16, -1, -1),), None)


def tiny_model(encoder: str = "unet", cond: str = "concat", /, *, seed: int = 0, **changes: Any) -> ColorDiffusion:
    options = {"width": 32, "mults": [1, 1]} if encoder == "unet" else {}
    arguments: dict[str, Any] = {
        "encoder": {"name": encoder, **options},
        "cond": {"name": cond},
        "denoiser": TINY_DENOISER,
        "diffusion": {},
        "image_size": 16,
        "seed": seed,
    }
    return ColorDiffusion(**(arguments | changes))
