"""The best that a denoiser could reach."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zoo.errors import ZooError
from zoo.methods import Materials, Method, OpenView, Photos
from zoo.registry import methods

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from zoo.data import Dataset
    from zoo.features import Features


@methods.register("truth")
class TruthMethod(Method):
    """The true colours, there and back through the chroma resolution. Nothing is trained.

    Args:
        chroma_scale: of the denoiser; 1: the photos themselves.
    """

    reads = ("chroma_scale",)
    learns = False

    def __init__(self, chroma_scale: int) -> None:
        if chroma_scale < 1:
            raise ZooError(f"chroma_scale={chroma_scale}: expected at least 1")
        self.chroma_scale = chroma_scale

    @classmethod
    def of(cls, materials: Materials, **options: Any) -> Method:
        return cls(materials.chroma_scale, **options)

    def open(self, dataset: Dataset, open_view: OpenView, image_size: int, device: str) -> None:
        if image_size % self.chroma_scale:
            raise ZooError(f"image_size={image_size} is no multiple of chroma_scale={self.chroma_scale}")

    def sample(self, photos: Photos, features: Features, generators: Sequence[torch.Generator]) -> Tensor:
        from zoo.color.upsample import downsample_chroma, upsample_chroma

        return upsample_chroma(downsample_chroma(photos.ab, self.chroma_scale), photos.L)
