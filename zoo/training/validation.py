"""How training goes, on photos that it does not see: a loss at fixed times and noise, scores of a quick colouring, and
some of them coloured as the run will colour.

A look costs five evaluations of the network for each of up to 64 photos, and those of the four that are shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zoo.cache.images import ImageCache, View, encoder_view, open_images
from zoo.color.lab import lab_to_rgb
from zoo.data import Dataset
from zoo.diffusion.samplers import SamplerConfig
from zoo.errors import ZooError
from zoo.faces.framing import WHOLE
from zoo.features import Features
from zoo.metrics.colorfulness import colorfulness
from zoo.metrics.psnr import psnr
from zoo.model import ColorDiffusion
from zoo.progress import Progress
from zoo.training.batches import Batch, Batches, inputs
from zoo.training.config import TrainConfig
from zoo.training.watch import Validated

VERSION = 1  # raise it when the same weights get another loss
IMAGES = 64
QUICK = SamplerConfig("deis", steps=4)  # whatever the run samples with, so that scores can be compared
_SHOWN = 4  # of them are coloured
_AT_ONCE = 16
SCORES = ("psnr", "colorfulness", "colorfulness_abs_diff")  # means over the photos


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
            found = [self._looked_at(start, device) for start in range(0, n, _AT_ONCE)]
            losses, scores = (torch.cat(parts) for parts in zip(*found, strict=True))
            means = dict(zip(SCORES, scores.mean(dim=0).tolist(), strict=True))
            return Validated(float(losses.sum()) / n, means, self._shown(device))
        finally:
            self.model.train(training)

    def _looked_at(self, start: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """Of the photos from ``start`` on: the sum of their losses (1,), and their scores (n, 3)."""
        part = _rows(self.batch, slice(start, start + _AT_ONCE))
        given = inputs(part, device)
        given["features"] = self.model.encode(given["view"], given["box"])
        loss = self.model(**given) * len(part.t)
        pred = self._colored(given, given["features"], QUICK, start)
        truth = lab_to_rgb(given["L"], given["ab"])
        of_pred, of_truth = colorfulness(pred), colorfulness(truth)
        return loss[None], torch.stack([psnr(pred, truth), of_pred, (of_pred - of_truth).abs()], dim=1)

    def _colored(self, given: dict[str, Any], features: Features, sampler: SamplerConfig, first: int = 0) -> Tensor:
        """sRGB (N, 3, H, W) in [0, 1]; the noise is that of each photo's place."""
        noise = [torch.Generator().manual_seed(first + i) for i in range(len(given["L"]))]
        return lab_to_rgb(given["L"], self.model.colorize(given["L"], features, sampler, noise)).clamp(0, 1)

    def _shown(self, device: torch.device) -> np.ndarray:
        given = inputs(_rows(self.batch, slice(_SHOWN)), device)
        L, ab = given["L"], given["ab"]
        colored = self._colored(given, self.model.encode(given["view"], given["box"]), self.sampler)
        columns = torch.stack([lab_to_rgb(L, torch.zeros_like(ab)), colored, lab_to_rgb(L, ab)], dim=1)
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
    open_view = partial(validation_images, dataset, cache_dir=cache_dir, progress=progress)
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


def validation_images(dataset: Dataset, view: View, cache_dir: Path, progress: Progress | None = None) -> ImageCache:
    """Those that are looked at. Raises `ZooError` where there are none with colour."""
    return open_images(dataset, "val", view, cache_dir, drop_grey=True, limit=IMAGES, progress=progress)


def _rows(batch: Batch, rows: slice) -> Batch:
    parts: list[Any] = [part[rows] if isinstance(part, Tensor) else part for part in batch]
    return Batch(*parts)
