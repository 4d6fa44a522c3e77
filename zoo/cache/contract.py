"""What a dataset gives, held to what it promises: one that is not built in may give anything."""

from __future__ import annotations

import numpy as np

from zoo.data import Dataset, Split
from zoo.errors import PlugInError, ZooError
from zoo.registry import datasets, failure


def keys_of(dataset: Dataset, split: Split) -> list[str]:
    """The sorted keys of a split. Raises `ZooError` where there are none, `PlugInError` where they are not text, or one
    comes twice."""
    keys = dataset.keys(split)
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys) or len({*keys}) < len(keys):
        raise PlugInError(f"{datasets.described(type(dataset))}: keys({split!r}) must give a list of texts, each once")
    if not keys:
        raise ZooError(f"{datasets.described(type(dataset))} has no {split} image")
    return sorted(keys)


def loaded(dataset: Dataset, key: str) -> np.ndarray:
    """The image ``key``, (S, S, 3) uint8.

    Raises:
        BrokenImageError: as the dataset does.
        PlugInError: the dataset gives something else, or cannot read it.
    """
    try:
        image = dataset.load(key)
    except OSError as error:  # not one of the cache's own
        raise PlugInError(f"{datasets.described(type(dataset))}: load({key!r}) failed: {failure(error)}") from error
    shape = tuple(getattr(image, "shape", ()))
    dtype = getattr(image, "dtype", type(image).__name__)
    if shape != (*shape[:1] * 2, 3) or dtype != np.uint8:
        what = f"{datasets.described(type(dataset))}: load({key!r})"
        raise PlugInError(f"{what} must give (S, S, 3) of uint8, and gave {dtype} of {shape}")
    return np.ascontiguousarray(image)
