"""The pair under test: a diffusion model, sampled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zoo.methods import Materials, Method, OpenView, Photos
from zoo.registry import methods

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from zoo.cache.images import ImageCache
    from zoo.data import Dataset
    from zoo.diffusion.hints import Known
    from zoo.diffusion.samplers import SamplerConfig
    from zoo.faces.framing import Box
    from zoo.features import Features
    from zoo.model import ColorDiffusion


@methods.register("diffusion")
class DiffusionMethod(Method):
    """The chosen encoder and conditioner, trained and sampled.

    Args:
        model: any; the samples of a regression are all alike.
        sampler: how it is sampled.
    """

    trains = True
    draws = True

    def __init__(self, model: ColorDiffusion, sampler: SamplerConfig) -> None:
        self.model, self.sampler = model, sampler
        self._views: ImageCache | None = None  # the photos as the encoder wants to see them; None: as they are
        self._box: Box

    @classmethod
    def of(cls, materials: Materials, **options: Any) -> Method:
        if materials.model is None:
            raise ValueError(f"{cls.__name__} needs a model")
        return cls(materials.model, materials.sampler, **options)

    def open(self, dataset: Dataset, open_view: OpenView, image_size: int, device: str) -> None:
        from zoo.cache.images import encoder_view
        from zoo.faces.framing import WHOLE

        self.model.to(device).eval()
        uses = self.model.conditioner.uses_encoder
        view = encoder_view(self.model.encoder, dataset, image_size) if uses else None
        self._views = open_view(view) if view else None
        self._box = view.box if view else WHOLE

    def encode(self, photos: Photos) -> Features:
        import torch

        from zoo.color.lab import uint8_to_lightness

        seen = photos.L
        if self._views is not None:
            seen = uint8_to_lightness(torch.from_numpy(self._views.batch(photos.indices)).to(photos.L.device))
        return self.model.encode(seen, self._box)

    @property
    def hints(self) -> bool:
        return self.model.hints

    def sample(self, photos: Photos, features: Features, generators: Sequence[torch.Generator]) -> Tensor:
        return self.model.colorize(photos.L, features, self.sampler, list(generators), hints=self._known(photos))

    def _known(self, photos: Photos) -> Known | None:
        """The true chroma, as the denoiser sees it, and where it is told."""
        if photos.hints is None:
            return None
        from zoo.color.upsample import downsample_chroma
        from zoo.diffusion.hints import mask_at

        ab = downsample_chroma(photos.ab, self.model.denoiser.chroma_scale)
        return ab, mask_at(photos.hints, (ab.shape[-2], ab.shape[-1]))
