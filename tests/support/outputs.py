"""Painted faces, and what another system might have made of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from zoo import registry
from zoo.data import Dataset, Split

Change = Callable[[np.ndarray], np.ndarray]


def painted(n: int = 3, size: int = 32) -> Dataset:
    return registry.datasets.create("synthetic", n_train=n, n_val=1, n_test=n, size=size)


def outputs_of(
    dataset: Dataset,
    folder: Path,
    change: Change = lambda picture: picture,
    split: Split = "test",
    suffix: str = ".png",
) -> Path:
    """``folder``, with a picture for each photo of ``split``: ``change`` of it."""
    for key in dataset.keys(split):
        path = (folder / key).with_suffix(suffix)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(change(dataset.load(key))).save(path)
    return folder


def album_of(dataset: Dataset, folder: Path, split: Split = "test") -> Path:
    """``folder``, with the photos themselves and no folders in it."""
    folder.mkdir(parents=True, exist_ok=True)
    for key in dataset.keys(split):
        Image.fromarray(dataset.load(key)).save(folder / f"{key.replace('/', '-')}.png")
    return folder
