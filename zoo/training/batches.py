"""What a training step eats. A batch is a pure function of (seed, step), so a resumed run sees what it would have."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from zoo.cache.features import FeatureCache
from zoo.cache.images import ImageCache
from zoo.color.lab import uint8_to_lab, uint8_to_lightness
from zoo.diffusion.process import Diffusion
from zoo.encoders import Images
from zoo.faces.framing import WHOLE, Box
from zoo.features import Features
from zoo.seeds import seed_of
from zoo.training.config import TrainConfig

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

    def __init__(self, images: Images, batch_size: int, seed: int) -> None:
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


def mirrored(images: np.ndarray, flipped: np.ndarray) -> Tensor:
    """``images`` (n, S, S, C) with those where ``flipped`` (n,) mirrored left to right, in place."""
    images[flipped] = images[flipped][:, :, ::-1]
    return torch.from_numpy(images)


def inputs(batch: Batch, device: torch.device | str) -> dict[str, Any]:
    """A batch as the arguments of `ColorDiffusion.forward`, on ``device``."""
    batch = Batch(*(_to(x, device) for x in batch))
    L, ab = uint8_to_lab(batch.images)
    return {
        "L": L,
        "ab": ab * batch.saturation[:, None, None, None],
        "t": batch.t,
        "noise": batch.noise,
        "dropped": batch.dropped,
        "features": batch.features,
        "view": L if batch.views is None else uint8_to_lightness(batch.views),
        "box": batch.boxes,
    }


def _to(x: Tensor | Features | None, device: torch.device | str) -> Any:
    if isinstance(x, Features):
        return Features(tuple(_to(m, device) for m in x.maps), _to(x.tokens, device))
    return x if x is None else x.to(device, non_blocking=True)
