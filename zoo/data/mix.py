"""Several datasets as one."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data import Dataset, Split, state
from zoo.errors import ZooError
from zoo.faces.framing import Box
from zoo.progress import Progress
from zoo.registry import datasets

_FOR_EXAMPLE = "parts={faces: {root: DIR, weight: 2}, scenes: {root: DIR}}"


@datasets.register("mix")
class Mix(Dataset):
    """The images of several datasets. In training each batch has of each its share; scored are all of them alike.

    A name is that of the part, a slash and the part's own name.

    Args:
        parts: name → a dataset's options, with its ``name`` (default: folder) and its ``weight`` in training
            (default: 1).
        face_box: the part whose face box is that of the whole, for encoders that want to see faces in one place and
            for photos that are coloured later; None: faces may be anywhere.

    Raises:
        ZooError: no parts, a name or weight that cannot be, or what a part raises.
    """

    def __init__(self, parts: Mapping[str, Mapping[str, Any]], face_box: str | None = None) -> None:
        if not parts:
            raise ZooError(f"parts is empty; name some datasets, as in {_FOR_EXAMPLE}")
        self.parts = {name: _opened(name, options) for name, options in sorted(parts.items())}
        self.weights = {name: _weight(name, options) for name, options in sorted(parts.items())}
        if face_box is not None and face_box not in self.parts:
            raise ZooError(f"face_box={face_box!r} is none of the parts {', '.join(self.parts)}")
        self._face_box = face_box

    @property
    def face_box(self) -> Box | None:  # type: ignore[override]
        return None if self._face_box is None else self.parts[self._face_box].face_box

    @property
    def distinct(self) -> bool:  # type: ignore[override]
        return all(part.distinct for part in self.parts.values())

    def prepare(self, cache_dir: Path, progress: Progress | None = None) -> None:
        for part in self.parts.values():
            part.prepare(cache_dir, progress)

    def keys(self, split: Split) -> list[str]:
        return sorted(f"{name}/{key}" for name, part in self.parts.items() for key in part.keys(split))

    def signature(self, split: Split) -> str:
        signatures = [f"{name}\0{state(part, split)}" for name, part in self.parts.items()]
        return hashlib.sha256("\n".join(signatures).encode("utf-8", "surrogateescape")).hexdigest()

    def load(self, key: str) -> np.ndarray:
        part, own = self._find(key)
        return part.load(own)

    def group(self, key: str) -> str | None:
        part, own = self._find(key)
        return part.group(own)

    def person(self, key: str) -> str | None:
        part, own = self._find(key)
        who = part.person(own)
        return None if who is None else f"{key.partition('/')[0]}/{who}"

    def _find(self, key: str) -> tuple[Dataset, str]:
        name, _, own = key.partition("/")
        return self.parts[name], own


def _opened(name: str, options: Mapping[str, Any]) -> Dataset:
    if not name or "/" in name:
        raise ZooError(f"parts: {name!r} cannot be the name of a part, for it begins the names of its images")
    if not isinstance(options, Mapping):
        raise ZooError(f"parts.{name} must be a dataset's options, not {options!r}; as in {_FOR_EXAMPLE}")
    own = {"name": "folder", **{key: value for key, value in options.items() if key != "weight"}}
    if own["name"] == "mix":
        raise ZooError(f"parts.{name}: a mixture of mixtures cannot be had; name all parts in one")
    try:
        dataset: Dataset = datasets.create(**own)
    except TypeError as error:
        raise ZooError(f"parts.{name}: {error}") from error
    return dataset


def _weight(name: str, options: Mapping[str, Any]) -> float:
    weight = options.get("weight", 1)
    if not isinstance(weight, int | float) or isinstance(weight, bool) or not 0 < weight < math.inf:
        raise ZooError(f"parts.{name}.weight must be a number above 0, not {weight!r}")
    return float(weight)
