"""No colour: what every method must beat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zoo.methods import Method, Photos
from zoo.registry import methods

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from zoo.features import Features


@methods.register("grey")
class GreyMethod(Method):
    """No colour: ab = 0. Nothing is trained."""

    learns = False

    def sample(self, photos: Photos, features: Features, generators: Sequence[torch.Generator]) -> Tensor:
        return photos.ab.new_zeros(photos.ab.shape)
