"""What a training step eats. A batch is a pure function of (seed, step), so a resumed run sees what it would have."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from zoo.cache.features import FeatureCache, open_features
from zoo.cache.images import ImageCache, Progress, View, encoder_view, open_images
from zoo.color.lab import uint8_to_lab
from zoo.data import Dataset, Split
from zoo.diffusion.process import Diffusion
from zoo.faces.framing import WHOLE, Box
from zoo.features import Features
from zoo.model import ColorDiffusion
from zoo.seeds import seed_of
from zoo.training.config import TrainConfig

if TYPE_CHECKING:
    from zoo.training.trainer import OnStep

STATISTICS_IMAGES = 2048


class Batch(NamedTuple):
    """One training batch, on the CPU. Either ``features`` or what the encoder needs to compute them is there."""

    images: Tensor  # (N, H, W, 3) uint8
    features: Features | None
    views: Tensor | None  # (N, S, S, 1) uint8 lightness as the encoder wants it; None: the image's own
    boxes: Tensor  # (N, 3): where the views lie in the images
    t: Tensor  # (N,) in (0, 1]
    noise: Tensor  # (N, 2, H/r, W/r)
    dropped: Tensor  # (N,) bool: their features are replaced by the learned null
    saturation: Tensor  # (N,) factor on ab


class Shuffled:
    """Training images, drawn epoch by epoch in an order that depends on the seed alone."""

    def __init__(self, images: ImageCache, batch_size: int, seed: int) -> None:
        self.images, self.batch_size, self.seed = images, batch_size, seed

    def _indices(self, step: int) -> np.ndarray:
        """Images of ``step``: epochs are shuffled one by one and follow each other without a gap."""
        n, size = len(self.images), self.batch_size
        positions = np.arange(step * size, (step + 1) * size)
        epochs = {e: self._order(int(e)) for e in np.unique(positions // n)}
        return np.array([epochs[p // n][p % n] for p in positions])

    def _order(self, epoch: int) -> np.ndarray:
        return np.random.default_rng(seed_of("epoch", self.seed, epoch)).permutation(len(self.images))


class Batches(Shuffled):
    """Training images with their features, and the draws of diffusion."""

    def __init__(
        self,
        images: ImageCache,
        config: TrainConfig,
        *,
        seed: int,
        chroma_size: int,
        diffusion: Diffusion,
        views: ImageCache | None = None,
        features: FeatureCache | None = None,
        box: Box = WHOLE,
    ) -> None:
        super().__init__(images, config.batch_size, seed)
        self.config, self.views, self.features, self.box = config, views, features, box
        self.chroma_size, self.diffusion = chroma_size, diffusion

    def at(self, step: int, rank: int = 0, world: int = 1) -> Batch:
        """The batch of ``step`` (from 0), or this rank's equal share of it: the shares of all ranks are the batch."""
        n = self.config.batch_size
        share = slice(rank * n // world, (rank + 1) * n // world)
        rng = torch.Generator().manual_seed(seed_of("step", self.seed, step))
        jitter = self.config.saturation_jitter
        t = self.diffusion.draw_times(n, rng)
        noise = torch.randn(n, 2, self.chroma_size, self.chroma_size, generator=rng)
        dropped = torch.rand(n, generator=rng) < self.config.p_uncond
        saturation = 1 + jitter * (2 * torch.rand(n, generator=rng) - 1)
        flipped = (torch.rand(n, generator=rng) < 0.5).numpy()[share] & self.config.flip

        indices = self._indices(step)[share]
        features = self.features.batch(indices, flipped) if self.features else None
        views = mirrored(self.views.batch(indices), flipped) if self.views and features is None else None
        return Batch(
            images=mirrored(self.images.batch(indices), flipped),
            features=features,
            views=views,
            boxes=torch.tensor([self.box.flipped() if f else self.box for f in flipped]).reshape(-1, 3),
            t=t[share],
            noise=noise[share],
            dropped=dropped[share],
            saturation=saturation[share],
        )

    def chroma_sample(self) -> Tensor:
        """ab (N, 2, H, W) of up to 2048 training images, for the statistics by which the model normalises."""
        order = np.random.default_rng(seed_of("statistics")).permutation(len(self.images))
        parts = np.array_split(np.sort(order[:STATISTICS_IMAGES]), 16)
        return torch.cat([uint8_to_lab(torch.from_numpy(self.images.batch(p)))[1] for p in parts if len(p)])


def open_batches(
    model: ColorDiffusion,
    dataset: Dataset,
    config: TrainConfig,
    *,
    seed: int,
    cache_dir: Path,
    device: str = "cpu",
    limit: int | None = None,
    progress: Progress | None = None,
    on_step: OnStep | None = None,
) -> Batches:
    """Decode the training images, let the encoder `pretrain` on them and compute the features of a frozen one,
    or find all three in ``cache_dir``.

    Args:
        limit: use only so many images.
        on_step: hears of the steps of an encoder that is pretrained here.
    """
    split: Split = "train"
    images = open_images(
        dataset, split, View(model.image_size), cache_dir, drop_grey=True, limit=limit, progress=progress
    )
    draw = partial(
        Batches,
        images,
        config,
        seed=seed,
        chroma_size=model.image_size // model.denoiser.chroma_scale,
        diffusion=model.diffusion,
    )
    if not model.conditioner.uses_encoder:
        return draw()
    model.encoder.pretrain(images, cache_dir=cache_dir, device=device, on_step=on_step)
    view = encoder_view(model.encoder, dataset, model.image_size)
    views = None
    if view:
        views = open_images(dataset, split, view, cache_dir, drop_grey=True, limit=limit, progress=progress)
    box = view.box if view else WHOLE
    features = None
    if model.encoder.frozen:
        features = open_features(
            model.encoder,
            views or images,
            box,
            cache_dir,
            identity=encoder_identity(model),
            max_gb=config.feature_cache_gb,
            device=device,
            flips=config.flip,
            progress=progress,
        )
    return draw(views=views, features=features, box=box)


def encoder_identity(model: ColorDiffusion) -> str:
    """What features depend on besides the encoder's weights and version: its name and options, but no path; and the
    seed if the weights are random."""
    options = {k: v for k, v in model.spec["encoder"].items() if k != "weights"}
    seed = model.spec["seed"] if model.encoder.weights_sha is None else None
    return repr((sorted(options.items()), seed))


def mirrored(images: np.ndarray, flipped: np.ndarray) -> Tensor:
    """``images`` (n, S, S, C) with those where ``flipped`` (n,) mirrored left to right, in place."""
    images[flipped] = images[flipped][:, :, ::-1]
    return torch.from_numpy(images)
