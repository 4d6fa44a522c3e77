"""Colours a split of a dataset and scores the result."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from zoo.batches import encoder_view
from zoo.color import lab_to_rgb, uint8_to_lab, uint8_to_lightness
from zoo.data import Dataset, Split, name_hash
from zoo.errors import ZooError
from zoo.framing import WHOLE
from zoo.images import ImageCache, Progress, View, open_images
from zoo.metrics import Metric, Score
from zoo.model import ColorDiffusion
from zoo.samplers import SamplerConfig


@dataclass(frozen=True)
class EvalConfig:
    """What is coloured.

    Args:
        split: "train", "val" or "test".
        limit: only so many images; None: all.
        batch_size: images at once; the result does not depend on it.
        samples: colourings per image of the picture; the metrics see the first.
        strips: images of the picture.
        seed: of the noise.
    """

    split: Split = "test"
    limit: int | None = None
    batch_size: int = 64
    samples: int = 3
    strips: int = 8
    seed: int = 0

    def __post_init__(self) -> None:
        if self.split not in ("train", "val", "test"):
            raise ZooError(f"eval.split must be train, val or test, not {self.split!r}")
        for name in ("limit", "batch_size", "samples", "strips"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ZooError(f"eval.{name} must be at least 1, not {value}")


@dataclass(frozen=True)
class Evaluation:
    """What came of it.

    Attributes:
        scores: of each metric in turn.
        seconds_per_image: of encoding and sampling, without metrics.
        n_images: scored.
        manifest: sha256 that names the images.
        keys: their names, in the order of each score's per-image values.
        strips: (K, 2 + samples, H, W, 3) uint8: grey, samples, truth, of K images chosen by a hash of their names.
    """

    scores: list[Score]
    seconds_per_image: float
    n_images: int
    manifest: str
    keys: tuple[str, ...]
    strips: np.ndarray


@dataclass(frozen=True)
class _Source:
    """Images to colour, and how the encoder sees them."""

    model: ColorDiffusion
    sampler: SamplerConfig
    images: ImageCache
    views: ImageCache | None
    view: View | None
    device: str
    seed: int

    def colour(self, indices: np.ndarray, samples: range) -> tuple[Tensor, Tensor, Tensor]:
        """Grey (N, 3, H, W), samples (S, N, 3, H, W) and truth (N, 3, H, W) of some images, sRGB in [0, 1]."""
        images = torch.from_numpy(self.images.batch(indices)).to(self.device)
        L, ab = uint8_to_lab(images)
        seen = L
        if self.views is not None:
            seen = uint8_to_lightness(torch.from_numpy(self.views.batch(indices)).to(self.device))
        with torch.no_grad():
            features = self.model.encode(seen, self.view.box if self.view else WHOLE)
        coloured = []
        for sample in samples:
            generators = [generator_of(self.seed, self.images.keys[i], sample) for i in indices]
            coloured.append(lab_to_rgb(L, self.model.colorize(L, features, self.sampler, generators)))
        truth = images.permute(0, 3, 1, 2).float() / 255
        return lab_to_rgb(L, torch.zeros_like(ab)), torch.stack(coloured), truth


def evaluate(
    model: ColorDiffusion,
    dataset: Dataset,
    metrics: Sequence[Metric],
    sampler: SamplerConfig,
    config: EvalConfig,
    *,
    device: str = "cpu",
    cache_dir: Path,
    progress: Progress | None = None,
) -> Evaluation:
    """Colour a split once per image and score it; a metric that cannot be had becomes a hole with its reason."""
    model.to(device).eval()
    open_view = partial(
        open_images, dataset, config.split, cache_dir=cache_dir, drop_grey=False, limit=config.limit, progress=progress
    )
    images = open_view(View(model.image_size))
    view = encoder_view(model.encoder, dataset, model.image_size) if model.conditioner.uses_encoder else None
    views = open_view(view) if view else None
    source = _Source(model, sampler, images, views, view, device, config.seed)
    ready, holes = _prepared(metrics, device)

    spent = 0.0
    chunks = [np.arange(i, min(i + config.batch_size, len(images))) for i in range(0, len(images), config.batch_size)]
    for indices in progress(chunks, len(chunks), "colour") if progress else chunks:
        started = time.perf_counter()
        _, coloured, truth = source.colour(indices, range(1))
        if device.startswith("cuda"):
            torch.cuda.synchronize()
        spent += time.perf_counter() - started
        for metric in ready:
            metric.update(coloured[0], truth)
    groups = [dataset.group(key) for key in images.keys]
    scores: list[Score] = []
    for metric in metrics:
        found = metric.compute() if metric in ready else holes[id(metric)]
        scores += found + (by_group(found, groups) if metric.by_group else [])
    strips = _strips(source, config)
    return Evaluation(scores, spent / len(images), len(images), images.manifest, images.keys, strips)


def by_group(scores: Sequence[Score], groups: Sequence[str | None]) -> list[Score]:
    """Each per-image score averaged over each group: ``skin_tone_error[tan]``, with the number of images noted.

    Args:
        groups: of each image, in the order of the per-image values; None: not known.
    """
    found = []
    for group in sorted({group for group in groups if group is not None}):
        members = torch.tensor([other == group for other in groups])
        for score in scores:
            if score.per_image is None:
                continue
            values = score.per_image[members]
            values = values[~values.isnan()]
            value = values.mean().item() if len(values) else None
            name, note = f"{score.name}[{group}]", f"{len(values)} images"
            found.append(Score(name, value, score.higher_is_better, note=note))
    return found


def generator_of(seed: int, key: str, sample: int) -> torch.Generator:
    """The noise of one colouring of one image: it depends on neither the batch nor the other images."""
    return torch.Generator().manual_seed(int.from_bytes(name_hash(f"{seed}/{sample}/{key}")[:7], "big"))


def _prepared(metrics: Sequence[Metric], device: str) -> tuple[list[Metric], dict[int, list[Score]]]:
    ready, holes = [], {}
    for metric in metrics:
        try:
            metric.prepare(device)
            ready.append(metric)
        except ZooError as error:
            holes[id(metric)] = metric.hole(str(error))
    return ready, holes


def _strips(source: _Source, config: EvalConfig) -> np.ndarray:
    by_hash = sorted(range(len(source.images)), key=lambda i: name_hash(source.images.keys[i]))
    chosen = np.array(sorted(by_hash[: config.strips]))
    grey, coloured, truth = source.colour(chosen, range(config.samples))
    columns = torch.cat([grey[:, None], coloured.transpose(0, 1), truth[:, None]], dim=1)  # (K, 2 + S, 3, H, W)
    return (columns.permute(0, 1, 3, 4, 2).clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()
