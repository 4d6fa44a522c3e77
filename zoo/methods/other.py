"""The colours of somebody else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zoo.errors import ZooError
from zoo.methods import Method, OpenView, Photos
from zoo.registry import methods

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from zoo.cache.images import ImageCache
    from zoo.data import Dataset
    from zoo.features import Features


@methods.register("other")
class OtherMethod(Method):
    """The true colours of another photo of the set: real ones, in the wrong place. Nothing is trained.

    Each photo has those of the next one in the order of a hash of their names, the last those of the first. Distances
    of sets hardly object to it, paired ones do.
    """

    learns = False

    def open(self, dataset: Dataset, open_view: OpenView, image_size: int, device: str) -> None:
        import numpy as np

        from zoo.cache.images import View
        from zoo.data import name_hash

        self._images: ImageCache = open_view(View(image_size))
        if len(self._images) < 2:
            raise ZooError("method=other needs two photos, to give each the colours of another; the set has one")
        order = np.array(sorted(range(len(self._images)), key=lambda i: name_hash(self._images.keys[i])))
        self._donor = np.empty_like(order)
        self._donor[order] = np.roll(order, -1)

    def sample(self, photos: Photos, features: Features, generators: Sequence[torch.Generator]) -> Tensor:
        import torch

        from zoo.color.lab import uint8_to_lab

        donors = self._images.batch(self._donor[photos.indices])
        return uint8_to_lab(torch.from_numpy(donors).to(photos.L.device))[1]
