"""What a training step eats. A batch is a pure function of (seed, step), so a resumed run sees what it would have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from zoo.cache.features import FeatureCache
from zoo.cache.images import ImageCache
from zoo.color.lab import uint8_to_lab, uint8_to_lightness
from zoo.diffusion.hints import draw_masks
from zoo.diffusion.process import Diffusion
from zoo.faces.framing import WHOLE, Box
from zoo.features import Features
from zoo.seeds import seed_of
from zoo.training.config import TrainConfig
from zoo.training.crops import Crop
from zoo.training.order import Part, Shuffled

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
    hinted: Tensor | None = None  # (N, 1, H/r, W/r): 1 where the model is told the truth


@dataclass(frozen=True)
class Costs:
    """Seconds that went before a first step, once for all runs that share what came of them; each says the same.

    Attributes:
        features: of computing those of a frozen encoder; 0: none are cached.
        pretraining: of an encoder on these images; 0: none; None: not known.
    """

    features: float = 0.0
    pretraining: float | None = 0.0


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
        parts: Mapping[str, Part] = MappingProxyType({}),
        crop: Crop | None = None,
        hints: bool = False,
        costs: Costs = Costs(),
    ) -> None:
        super().__init__(images, config.batch_size, seed, parts)
        self.config, self.views, self.features, self.box = config, views, features, box
        self.chroma_size, self.diffusion, self.crop, self.hints = chroma_size, diffusion, crop, hints
        self.costs = costs

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

        crops = self.crop.boxes(n, rng)[share] if self.crop else None
        hinted = draw_masks(n, self.chroma_size, self.config.p_hints, rng)[share] if self.hints else None

        indices = self._indices(step)[share]
        images, views, boxes = self.images.batch(indices), None, [self.box] * len(indices)
        features = self.features.batch(indices, flipped) if self.features else None
        if self.views and features is None:
            views = self.views.batch(indices)
        if self.crop and crops is not None:
            images, views, boxes = self.crop.seen(images, views, boxes, crops)
        return Batch(
            images=mirrored(images, flipped),
            features=features,
            views=None if views is None else mirrored(views, flipped),
            boxes=torch.tensor([b.flipped() if f else b for b, f in zip(boxes, flipped)]).reshape(-1, 3),
            t=t[share],
            noise=noise[share],
            dropped=dropped[share],
            saturation=saturation[share],
            hinted=hinted,
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
        "hinted": batch.hinted,
        "features": batch.features,
        "view": L if batch.views is None else uint8_to_lightness(batch.views),
        "box": batch.boxes,
    }


def _to(x: Tensor | Features | None, device: torch.device | str) -> Any:
    if isinstance(x, Features):
        return Features(tuple(_to(m, device) for m in x.maps), _to(x.tokens, device))
    return x if x is None else x.to(device, non_blocking=True)
