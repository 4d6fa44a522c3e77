"""Datasets. Every module here is the dataset of its name; modules with a leading underscore are shared."""

from __future__ import annotations

import hashlib
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from zoo.faces.framing import Box
from zoo.progress import Progress
from zoo.reading.source import BrokenImageError as BrokenImageError
from zoo.sources import source_sha

if TYPE_CHECKING:
    from zoo.data._files import FileDataset as FileDataset
    from zoo.data._files import find_images as find_images
    from zoo.data._files import split_by_hash as split_by_hash

Split = Literal["train", "val", "test"]
_OF_FILES = ("FileDataset", "find_images", "split_by_hash")  # which import from here


class Dataset(ABC):
    """Names of images per split, and the images. Splits never depend on the machine.

    Attributes:
        face_box: where the square of the 112×112 ArcFace template lies, in fractions of the image; may reach
            outside; None: not known, encoders then see the whole image.
        distinct: no two of its images can show one picture, however alike they look: nobody looks for such pairs.
        weights: of a mixture, the first folder of its keys → its weight in training; empty: all images alike.
    """

    face_box: Box | None = None
    distinct: bool = False
    weights: Mapping[str, float] = MappingProxyType({})

    _asked: str

    def __new__(cls, *args: Any, **options: Any) -> Dataset:
        made = super().__new__(cls)
        made._asked = repr((args, sorted(options.items())))  # for `state`, whatever the subclass makes of them
        return made

    def prepare(self, cache_dir: Path, progress: Progress | None = None) -> None:
        """Called before anything else by whoever has a cache folder: there a data set may keep what takes long to find
        out, and ``progress`` wraps the loop that does. Changes no result."""

    @abstractmethod
    def keys(self, split: Split) -> list[str]:
        """Sorted names, the same on every machine (relative POSIX paths for files). Raises `ZooError` when empty."""

    @abstractmethod
    def signature(self, split: Split) -> str:
        """Cheap to compute; changes whenever an image of the split may have changed (sizes and times of files, also
        that of their last change, which nobody can set; or the parameters of a generator). Keys the decoded-image
        cache on this machine (see `state`); never part of an identity."""

    @abstractmethod
    def load(self, key: str) -> np.ndarray:
        """One image, (S, S, 3) uint8 sRGB, square (centre crop), EXIF orientation applied.
        Raises `BrokenImageError` with a reason."""

    def group(self, key: str) -> str | None:
        """Of which group of people the image shows one, where that is known: scores can be told apart by it."""
        return None

    def person(self, key: str) -> str | None:
        """Who the image shows, where that is known: photos of one person are no independent witnesses."""
        return None


def state(dataset: Dataset, split: Split) -> str:
    """`Dataset.signature` for caches. Of one that is not built in the options and the source count, too: whoever edits
    its `load` has other images."""
    signature = dataset.signature(split)
    if type(dataset).__module__.startswith("zoo."):
        return signature
    return f"{signature}\0{type(dataset).__qualname__}\0{dataset._asked}\0{source_sha(type(dataset))}"


def name_hash(name: str) -> bytes:
    """sha256 of a name's Unicode text, composed (macOS may store it decomposed)."""
    return hashlib.sha256(unicodedata.normalize("NFC", name).encode("utf-8", "surrogateescape")).digest()


def printable(name: str) -> str:
    """A name as text that can be written anywhere: bytes that are no UTF-8, which file names may hold, as ``\\xe9``."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def __getattr__(name: str) -> Any:
    if name not in _OF_FILES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("zoo.data._files"), name)
