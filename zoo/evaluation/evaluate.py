"""Colours a split of a dataset and scores the result."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from zoo.cache.images import View, open_images
from zoo.color.lab import lab_to_rgb, rgb_to_lab
from zoo.data import Dataset, Split, name_hash
from zoo.errors import PlugInError, ZooError
from zoo.evaluation.real_features import as_rgb, open_real_features
from zoo.evaluation.scorer import Scorer, called
from zoo.features import Features
from zoo.methods import Method, Photos
from zoo.metrics import Metric, Score
from zoo.progress import Progress
from zoo.registry import methods

NO_HINTS = "it cannot be told colours: train one whose denoiser takes hints"


@dataclass(frozen=True)
class EvalConfig:
    """What is coloured.

    Args:
        split: "train", "val" or "test".
        limit: only so many images; None: all.
        batch_size: images at once; the result does not depend on it.
        samples: colourings per image of the sample grid; of the others as many as the metrics ask for.
        grid: images of the sample grid.
        seed: of the noise.
        seeds: samplings of all images for the metrics of sets (fd, fid, kid, …), whose spread tells how much these
            depend on the noise. Each takes as long as colouring the images once.
    """

    split: Split = "test"
    limit: int | None = None
    batch_size: int = 64
    samples: int = 3
    grid: int = 8
    seed: int = 0
    seeds: int = 1

    def __post_init__(self) -> None:
        if self.split not in ("train", "val", "test"):
            raise ZooError(f"split must be train, val or test, not {self.split!r}")
        for name in ("limit", "batch_size", "samples", "grid", "seeds"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ZooError(f"{name} must be at least 1, not {value}")


@dataclass(frozen=True)
class Evaluation:
    """What came of it.

    Attributes:
        scores: of each metric in turn.
        seconds_per_image: of encoding it and sampling it once, without metrics.
        n_images: scored.
        manifest: sha256 that names the images.
        keys: their names, in the order of each score's per-image values.
        sample_grid: (K, 2 + samples, H, W, 3) uint8: grey, samples, truth, of K images chosen by a hash of their names.
        grid_keys: the names of those.
    """

    scores: list[Score]
    seconds_per_image: float
    n_images: int
    manifest: str
    keys: tuple[str, ...]
    sample_grid: np.ndarray
    grid_keys: tuple[str, ...]


def evaluate(
    method: Method,
    dataset: Dataset,
    metrics: Sequence[Metric],
    config: EvalConfig,
    *,
    image_size: int,
    device: str = "cpu",
    cache_dir: Path,
    progress: Progress | None = None,
) -> Evaluation:
    """Colour a split and score it; a metric that cannot be had becomes a hole with its reason.

    Each image is encoded once and sampled once, but for some that metrics want to see more samples of, and those of
    the picture. The images are visited in the order of a hash of their names: the first few are a fair sample. For
    metrics with `Metric.hints` each is sampled again, with the same noise, its true colours told at so many places.

    Args:
        image_size: side in pixels at which the images are coloured.
        device: where method and metrics compute.
        cache_dir: of decoded images and of the real images' features.
    """
    open_view = partial(
        open_images, dataset, config.split, cache_dir=cache_dir, drop_grey=False, limit=config.limit, progress=progress
    )
    images = open_view(View(image_size))
    method.open(dataset, open_view, image_size, device)
    order = np.array(sorted(range(len(images)), key=lambda i: name_hash(images.keys[i])))
    batches = [order[start : start + config.batch_size] for start in range(0, len(order), config.batch_size)]
    open_real = partial(
        open_real_features, images=images, batches=batches, cache_dir=cache_dir, device=device, progress=progress
    )
    for metric in metrics:
        metric.locate_faces(lambda: dataset.face_box)
    unheard = [metric for metric in metrics if metric.hints and not method.hints]
    heard = [metric for metric in metrics if metric not in unheard]
    scorers = {
        hints: Scorer([m for m in heard if (m.hints or 0) == hints], device, open_real, config.seeds)
        for hints in sorted({0, *(metric.hints or 0 for metric in heard)})
    }
    grid = _SampleGrid(config)
    place, spent = 0, 0.0
    for indices in progress(batches, len(batches), "colour") if progress else batches:
        truth = as_rgb(images.batch(indices), device)
        photos = Photos(indices, *rgb_to_lab(truth), tuple(images.keys[i] for i in indices))
        features, encoding = _encoded(method, photos)
        for hints, scorer in scorers.items():
            told = replace(photos, hints=_places(photos, hints)) if hints else photos
            wanted = [scorer.samples(p) for p in range(place, place + len(indices))]
            if not hints:
                wanted = [max(n, grid.samples(p)) for p, n in enumerate(wanted, place)]
            colored, seconds = _color(method, told, features, wanted, config.seed)
            scorer.update(colored, truth, place)
            if not hints:
                grid.update(photos, colored, truth)
                spent += encoding + seconds
        place += len(indices)
    groups = [dataset.group(key) for key in images.keys]
    scores = [score for scorer in scorers.values() for score in scorer.scores(order, groups)]
    scores += [called(score, metric) for metric in unheard for score in metric.missing(NO_HINTS)]
    pictures, shown = grid.pictures(images.keys)
    return Evaluation(scores, spent / len(images), len(images), images.manifest, images.keys, pictures, shown)


def generator_of(seed: int, key: str, sample: int) -> torch.Generator:
    """The noise of one colouring of one image: it depends on neither the batch nor the other images."""
    return torch.Generator().manual_seed(int.from_bytes(name_hash(f"{seed}/{sample}/{key}")[:7], "big"))


def _places(photos: Photos, count: int) -> Tensor:
    """Where colours are told: (N, count, 2), x and y in fractions. They depend on a photo's name alone, and the first
    few of many are those of few."""
    drawn = [torch.rand(count, 2, generator=generator_of(0, f"hints/{key}", 0)) for key in photos.keys]
    return torch.stack(drawn).to(photos.L.device)


@torch.no_grad()
def _encoded(method: Method, photos: Photos) -> tuple[Features, float]:
    """What all samples share, and the seconds that it took (on a GPU what is still to be waited for is not in them)."""
    started = time.perf_counter()
    features = method.encode(photos)
    if not isinstance(features, Features):
        raise PlugInError(f"{methods.described(type(method))}: encode() must give zoo.Features, not {features!r:.80}")
    return features, time.perf_counter() - started


@torch.no_grad()
def _color(
    method: Method, photos: Photos, features: Features, wanted: Sequence[int], seed: int
) -> tuple[list[Tensor], float]:
    """Samples, each of the first few photos, sRGB in [0, 1], and the seconds that the first took.

    Args:
        wanted: samples of each photo, the most first.
    """
    colored: list[Tensor] = []
    spent = 0.0
    started = time.perf_counter()
    for sample in range(wanted[0]):
        n = sum(count > sample for count in wanted)
        generators = [generator_of(seed, key, sample) for key in photos.keys[:n]]
        some = photos.first(n)
        ab = method.sample(some, _first(features, n), generators)
        if not isinstance(ab, Tensor) or ab.shape != photos.ab[:n].shape:
            gave = tuple(ab.shape) if isinstance(ab, Tensor) else type(ab).__name__
            what, expected = methods.described(type(method)), tuple(photos.ab[:n].shape)
            raise PlugInError(f"{what}: sample() must give ab {expected}, and gave {gave}")
        colored.append(lab_to_rgb(method.lightness(some), ab))
        if sample == 0:
            if photos.L.is_cuda:
                torch.cuda.synchronize()
            spent = time.perf_counter() - started
    return colored, spent


def _first(features: Features, n: int) -> Features:
    tokens = None if features.tokens is None else features.tokens[:n]
    return Features(tuple(m[:n] for m in features.maps), tokens)


class _SampleGrid:
    """Grey, samples and truth of the first few images."""

    def __init__(self, config: EvalConfig) -> None:
        self._images, self._samples = config.grid, config.samples
        self._kept: list[Tensor] = []  # (n, 2 + S, 3, H, W)
        self._indices: list[int] = []

    def samples(self, place: int) -> int:
        return self._samples if place < self._images else 1

    def update(self, photos: Photos, colored: Sequence[Tensor], truth: Tensor) -> None:
        n = min(len(truth), self._images - len(self._indices))
        if n > 0:
            grey = lab_to_rgb(photos.L, torch.zeros_like(photos.ab))
            columns = [grey, *colored[: self._samples], truth]
            self._kept.append(torch.stack([column[:n].cpu() for column in columns], dim=1))
            self._indices += photos.indices[:n].tolist()

    def pictures(self, keys: Sequence[str]) -> tuple[np.ndarray, tuple[str, ...]]:
        """(K, 2 + S, H, W, 3) uint8 in the order of ``keys``, and which of these they show."""
        by_key = np.argsort(self._indices)
        kept = torch.cat(self._kept).permute(0, 1, 3, 4, 2)[torch.from_numpy(by_key)]
        shown = tuple(keys[self._indices[i]] for i in by_key)
        return (kept.clamp(0, 1) * 255).round().to(torch.uint8).numpy(), shown
