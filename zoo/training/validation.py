"""How training goes, on photos that it does not see: a loss at fixed times and noise, and some of them coloured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zoo.cache.images import View, encoder_view, open_images
from zoo.color.lab import lab_to_rgb
from zoo.data import Dataset
from zoo.diffusion.samplers import SamplerConfig
from zoo.errors import ZooError
from zoo.faces.framing import WHOLE
from zoo.model import ColorDiffusion
from zoo.progress import Progress
from zoo.training.batches import Batch, Batches, inputs
from zoo.training.config import TrainConfig

IMAGES = 64
_SHOWN = 4  # of them are coloured
_AT_ONCE = 16


@dataclass(frozen=True)
class Validated:
    """What was found.

    Attributes:
        loss: at times that fill (0, 1] evenly, however training draws them, so that it can be compared.
        sample_grid: (4, 3, H, W, 3) uint8: grey, a colouring and the truth of photos.
    """

    loss: float
    sample_grid: np.ndarray


class Validation:
    """A fixed batch of the validation photos, looked at by ``model`` as it is now. Nothing is drawn that training would
    draw, so training goes on as if nobody had looked."""

    def __init__(self, model: ColorDiffusion, batch: Batch, sampler: SamplerConfig) -> None:
        self.model, self.batch, self.sampler = model, batch, sampler

    @torch.no_grad()
    def __call__(self) -> Validated:
        """Puts the model into eval mode for as long as it takes."""
        training, device = self.model.training, self.model.ab_mean.device
        self.model.eval()
        try:
            n = len(self.batch.t)
            parts = [_rows(self.batch, slice(start, start + _AT_ONCE)) for start in range(0, n, _AT_ONCE)]
            losses = [self.model(**inputs(part, device)) * len(part.t) for part in parts]
            return Validated(float(torch.stack(losses).sum()) / n, self._colored(_rows(self.batch, slice(_SHOWN))))
        finally:
            self.model.train(training)

    def _colored(self, batch: Batch) -> np.ndarray:
        given = inputs(batch, self.model.ab_mean.device)
        L, ab = given["L"], given["ab"]
        noise = [torch.Generator().manual_seed(i) for i in range(len(L))]
        sampled = self.model.colorize(L, self.model.encode(given["view"], given["box"]), self.sampler, noise)
        columns = torch.stack([lab_to_rgb(L, c) for c in (torch.zeros_like(ab), sampled, ab)], dim=1)
        pixels: np.ndarray = (columns.clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 1, 3, 4, 2).cpu().numpy()
        return pixels


def open_validation(
    model: ColorDiffusion,
    dataset: Dataset,
    config: TrainConfig,
    sampler: SamplerConfig,
    *,
    cache_dir: Path,
    progress: Progress | None = None,
) -> Callable[[], Validated] | None:
    """On up to 64 photos of the data set's ``val`` split; None if it has none.

    Args:
        sampler: by which the photos are coloured.
    """
    open_view = partial(
        open_images, dataset, "val", cache_dir=cache_dir, drop_grey=True, limit=IMAGES, progress=progress
    )
    try:
        images = open_view(View(model.image_size))
    except ZooError:  # no photos, or none with colour
        return None
    view = encoder_view(model.encoder, dataset, model.image_size) if model.conditioner.uses_encoder else None
    views = open_view(view) if view else None
    batches = Batches(
        images,
        replace(config, batch_size=len(images), p_uncond=0.0, flip=False, saturation_jitter=0.0),
        seed=0,
        chroma_size=model.image_size // model.denoiser.chroma_scale,
        diffusion=replace(model.diffusion, times="uniform"),
        views=views,
        box=view.box if view else WHOLE,
    )
    return Validation(model, batches.at(0), sampler)


def _rows(batch: Batch, rows: slice) -> Batch:
    parts: list[Any] = [part[rows] if isinstance(part, Tensor) else part for part in batch]
    return Batch(*parts)
