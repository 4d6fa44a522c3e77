"""Features of the real images on disk: each goes through the network of FID, say, once, and not once per evaluation."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from zoo.cache.images import ImageCache
from zoo.cache.record_file import RowFile, write_rows
from zoo.errors import ZooError
from zoo.metrics import Extractor
from zoo.progress import Progress
from zoo.sources import source_sha

_FORMAT = 1  # raise it when the same features would be stored differently
_BLOCK = 1024  # rows that are read at once to check them


class RealFeatures:
    """Float32 features of images, in one file. Raises `OSError` or `ZooError` where it is not there or damaged."""

    def __init__(self, path: Path) -> None:
        self._file = RowFile(path)
        checksum = 0
        for start in range(0, len(self), _BLOCK):
            checksum = zlib.crc32(self.read(range(start, min(start + _BLOCK, len(self)))).numpy().data, checksum)
        if checksum != self._file.meta["crc32"]:
            raise ZooError(f"{path} is damaged; delete it and it will be made again")

    def __len__(self) -> int:
        return len(self._file)

    def read(self, rows: range) -> Tensor:
        """(n, D), on the CPU."""
        out = np.empty((len(rows), self._file.row_bytes // 4), np.float32)
        self._file.read(np.asarray(rows), out)
        return torch.from_numpy(out)


def open_real_features(
    extractor: Extractor,
    images: ImageCache,
    batches: Sequence[np.ndarray],
    cache_dir: Path,
    *,
    device: str,
    progress: Progress | None = None,
) -> RealFeatures:
    """Features of ``images`` from ``cache_dir``; computed into it first if they are not there, or damaged.

    Args:
        extractor: what gives the features.
        images: in colour.
        batches: indices of all of them in the order of the rows, which must depend on their keys alone; so many at a
            time go through the network.
        cache_dir: made if missing. Known by the images' manifest and size, and by the extractor's identity, and
            its source where it is not built in.
        device: where the images are put.
        progress: wraps the loop over the batches.

    Raises:
        ZooError: the cache cannot be written.
    """
    asked = {"format": _FORMAT, "images": [images.manifest, images.view.size], "extractor": extractor.identity}
    if not type(extractor).__module__.startswith("zoo."):  # not built in: its author may edit it
        asked["source"] = source_sha(type(extractor))
    name = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:24]
    path = Path(cache_dir) / f"real-{name}.features"
    try:
        found = RealFeatures(path)
        if len(found) == len(images):
            return found
    except (OSError, ValueError):  # not there, or damaged
        pass
    checksum = 0
    with write_rows(path) as writer:
        for indices in progress(batches, len(batches), "describe the real images") if progress else batches:
            rows = extractor(as_rgb(images.batch(indices), device)).float().cpu().contiguous().numpy()
            checksum = zlib.crc32(rows.data, checksum)
            writer.append(rows)
        writer.meta = {"crc32": checksum}
    return RealFeatures(path)


def as_rgb(images: np.ndarray, device: str) -> Tensor:
    """(N, H, W, 3) uint8 → (N, 3, H, W) sRGB in [0, 1] on ``device``."""
    return torch.from_numpy(images).to(device).permute(0, 3, 1, 2).float() / 255
