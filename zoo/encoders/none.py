"""The control: no information about the image."""

from __future__ import annotations

from torch import Tensor

from zoo.encoders import Encoder
from zoo.features import Features, FeatureSpec
from zoo.registry import encoders


@encoders.register("none")
class NoEncoder(Encoder):
    """One token that is zero, for every image: each conditioner keeps its machinery and learns a constant from it."""

    def __init__(self) -> None:
        super().__init__(FeatureSpec(token_dim=1), frozen=True)

    def forward(self, L: Tensor) -> Features:
        return Features(tokens=L.new_zeros(L.shape[0], 1, 1))
