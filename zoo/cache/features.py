"""Features of a frozen encoder on disk: each image and its mirror image goes through the encoder once, ever."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import time
import warnings
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from zoo.cache.faint import faint
from zoo.cache.images import ImageCache
from zoo.cache.record_file import RowFile, make_folder, write_rows
from zoo.color.lab import uint8_to_lightness
from zoo.encoders import Encoder
from zoo.errors import ZooError
from zoo.faces.framing import Box, uncrop
from zoo.features import Features
from zoo.progress import Progress

_FORMAT = 2  # raise it when the same features would be stored differently


class FeatureCache:
    """Features of N images and, if asked for, of their mirror images, as float16 in one file.

    Attributes:
        nbytes: size of the file.
        row_bytes: size of one image's features.
        seconds: that it took to compute them; whoever uses this file saved as much.
    """

    def __init__(self, path: Path) -> None:
        self._file = RowFile(path)
        self.nbytes = self._file.nbytes
        self.row_bytes = self._file.row_bytes
        self.seconds: float = self._file.meta["seconds"]
        self._map_shapes: list[list[int]] = self._file.meta["maps"]  # each (C, h, w)
        self._token_shape: list[int] | None = self._file.meta["tokens"]  # (T, D)
        self._flips: bool = self._file.meta["flips"]

    def __len__(self) -> int:
        """How many images; mirror images do not count."""
        return len(self._file) // (2 if self._flips else 1)

    def batch(self, indices: np.ndarray, flipped: np.ndarray) -> Features:
        """Features of images ``indices`` (n,), of the mirror image where ``flipped`` (n,) bool. Float32, on the CPU."""
        if self._flips:
            rows = 2 * np.asarray(indices) + flipped
        elif np.any(flipped):
            raise ValueError("this cache holds no mirror images; open it with flips=True")
        else:
            rows = np.asarray(indices)
        buffer = np.empty((len(rows), self.row_bytes // 2), np.float16)
        self._file.read(rows, buffer)
        flat = torch.from_numpy(buffer)
        shapes = [*self._map_shapes, *([self._token_shape] if self._token_shape else [])]
        parts = flat.split([math.prod(shape) for shape in shapes], dim=1)
        tensors = [part.float().view(-1, *shape) for part, shape in zip(parts, shapes)]  # the one copy there is
        tokens = tensors.pop() if self._token_shape else None
        return Features(tuple(tensors), tokens)


def open_features(
    encoder: Encoder,
    views: ImageCache,
    box: Box,
    cache_dir: Path,
    *,
    identity: str,
    max_gb: float,
    device: str | torch.device,
    batch_size: int | None = None,
    flips: bool = True,
    progress: Progress | None = None,
) -> FeatureCache | None:
    """The encoder's features of all images, from ``cache_dir``; computed into it first if they are not there.

    Args:
        encoder: a frozen one.
        views: the images as the encoder wants to see them; grey, or in colour, of which it gets L.
        box: where the views lie in the images. Maps are stored as they lie on the whole image.
        cache_dir: made if missing.
        identity: the encoder's name and options: with its weights and version, what its features depend on.
        max_gb: no cache larger than this (10⁹ bytes); 0: none at all.
        device: where the encoder runs.
        batch_size: images per call of the encoder; None: 64 on a GPU, 8 on a CPU, where the layers' outputs of more are
            large enough for the allocator to hand them back after each use: ArcFace then takes 2.7 times as long.
        flips: of the mirror images, too.
        progress: wraps the loop over the batches.

    Returns:
        None, with a warning, if the features would not fit: the encoder must then run in every step.

    Raises:
        ZooError: features are not finite or beyond float16, or the cache cannot be written.
    """
    asked = {
        "format": _FORMAT,
        "encoder": [identity, encoder.weights_sha, encoder.version],
        "images": [views.manifest, views.view.size, views.view.grey, tuple(views.view.box), tuple(box)],
        "flips": flips,
    }
    name = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:24]
    path = Path(cache_dir) / f"{name}.features"
    if max_gb <= 0:
        return None
    try:
        return FeatureCache(path)
    except (OSError, ZooError):  # not there, or damaged
        pass
    batch_size = batch_size or (8 if torch.device(device).type == "cpu" else 64)
    was_training = encoder.training
    encoder.to(device).eval()
    try:
        features = _compute(encoder, views, box, batch_size, flips, torch.device(device))
        built = _build(path, features, views, batch_size, flips, max_gb, progress)
    finally:
        encoder.train(was_training)
    return FeatureCache(path) if built else None


def _compute(
    encoder: Encoder, views: ImageCache, box: Box, batch_size: int, flips: bool, device: torch.device
) -> Iterator[list[Features]]:
    """Batch by batch, features of the images [and of their mirror images]."""
    for start in range(0, len(views), batch_size):
        indices = np.arange(start, min(start + batch_size, len(views)))
        L = uint8_to_lightness(torch.from_numpy(views.batch(indices)).to(device))  # (n, 1, S, S)
        with torch.inference_mode():
            batch = [_on_image(encoder(L), box)]
            if flips:
                batch.append(_on_image(encoder(L.flip(3)), box.flipped()))
        yield batch


def _on_image(features: Features, box: Box) -> Features:
    return Features(uncrop(features.maps, box), features.tokens)


def _build(
    path: Path,
    batches: Iterator[list[Features]],
    views: ImageCache,
    batch_size: int,
    flips: bool,
    max_gb: float,
    progress: Progress | None,
) -> bool:
    """Whether the features fit, which the first batch tells."""
    started = time.perf_counter()
    first = next(batches)
    if not _fits(len(views) * _rows(first)[0].nbytes, path.parent, max_gb):
        return False
    if left := faint(first[0]):
        told = ", ".join(f"{name}: {share:.2g}" for name, share in left.items())
        warnings.warn(
            f"what the encoder gives hardly depends on the photo ({told}; 1 is the most): scores with it say little",
            stacklevel=3,
        )
    batches = chain([first], batches)
    if progress is not None:
        total = math.ceil(len(views) / batch_size)
        batches = iter(progress(batches, total, "computing features of the frozen encoder"))
    with write_rows(path) as writer:
        for batch in batches:
            writer.append(np.concatenate(_rows(batch)))  # image, mirror image, next image, …
        seconds = time.perf_counter() - started
        writer.meta = {**_shapes(first[0]), "flips": flips, "seconds": round(seconds, 3)}
    return True


def _rows(batch: list[Features]) -> np.ndarray:
    """(n, 2 with flips or 1, row) float16."""
    return torch.stack([_flatten(features) for features in batch], dim=1).numpy()


def _flatten(features: Features) -> Tensor:
    """All features of an image in one row: (n, row) float16, on the CPU."""
    parts = [*features.maps, *([] if features.tokens is None else [features.tokens])]
    rows = torch.cat([part.flatten(1) for part in parts], dim=1).half().cpu()
    if not rows.isfinite().all():
        raise ZooError(
            "the encoder's features are not finite, or larger than float16 can hold (65504), so they cannot be cached; "
            "set feature_cache_gb=0 to compute them in every step"
        )
    return rows


def _shapes(features: Features) -> dict[str, object]:
    tokens = None if features.tokens is None else list(features.tokens.shape[1:])
    return {"maps": [list(m.shape[1:]) for m in features.maps], "tokens": tokens}


def _fits(size: int, folder: Path, max_gb: float) -> bool:
    make_folder(folder)
    free = shutil.disk_usage(folder).free
    if size <= min(max_gb * 1e9, 0.95 * free):
        return True
    limit = f"feature_cache_gb={max_gb:g}" if size > max_gb * 1e9 else f"{free / 1e9:.1f} GB are free in {folder}"
    warnings.warn(
        f"cached features would take {size / 1e9:.3g} GB, but {limit}: the frozen encoder will run in every training "
        "step, which is slower; raise feature_cache_gb, or give a folder with more room by cache_dir=DIR or ZOO_CACHE",
        stacklevel=4,
    )
    return False
