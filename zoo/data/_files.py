"""Datasets that are files: finding them, splitting them by hash, and where the face lies in them."""

from __future__ import annotations

import hashlib
import os
import warnings
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np

from zoo.data import BrokenImageError, Dataset, Split, name_hash
from zoo.data._one_picture import Looked, file_for
from zoo.errors import ZooError
from zoo.faces.framing import Box
from zoo.progress import Progress
from zoo.reading.folders import is_image_name, left_out, walk
from zoo.reading.kinds import USUAL
from zoo.reading.square import decode

_FACE_SAMPLE = 64  # images in which the face is looked for


class FileDataset(Dataset):
    """Images in files below ``root``, named by their POSIX paths relative to it.

    Args:
        root: an existing folder.
        face_box: (x0, y0, side), ``"auto"`` or None; see `Dataset.face_box`. ``"auto"`` looks for faces in up to 64
            train images when the box is first asked for.

    Raises:
        ZooError: ``root`` is no folder, or ``face_box`` is none of these.
    """

    def __init__(self, root: str | Path, face_box: Sequence[float] | str | None) -> None:
        self.root = Path(root).expanduser()
        if not self.root.is_dir():
            raise ZooError(f"root={str(root)!r} is not a folder; give the folder that holds the images")
        self._face_box = _parse_face_box(face_box)
        self._splits: dict[str, list[str]] | None = None
        self._cache_dir: Path | None = None
        self._progress: Progress | None = None

    def prepare(self, cache_dir: Path, progress: Progress | None = None) -> None:
        self._cache_dir, self._progress = Path(cache_dir), progress

    def first_of_picture(self, names: Sequence[str]) -> dict[str, str]:
        """Each of ``names``, which are sorted → the first of them that shows the same picture."""
        kept = None if self._cache_dir is None else file_for(self.root, self._cache_dir)
        return Looked(self.load, self._state, kept, self._progress).first_of_group(names)

    @abstractmethod
    def find(self) -> dict[str, list[str]]:
        """All names, by split. Called once."""

    def keys(self, split: Split) -> list[str]:
        names = sorted(self._found().get(split, ()))
        if not names:
            raise ZooError(self.empty(split))
        return names

    def _found(self) -> dict[str, list[str]]:
        if self._splits is None:
            self._splits = self.find()
        return self._splits

    def empty(self, split: Split) -> str:
        """The message when a split has no image."""
        return f"no {split} image below {str(self.root)!r}; expected files like {USUAL}"

    def signature(self, split: Split) -> str:
        digest = hashlib.sha256(f"{type(self).__qualname__} {self.root.resolve()}".encode("utf-8", "surrogateescape"))
        for key in self.keys(split):
            digest.update(f"\n{key}\0{self._state(key)}".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def _state(self, key: str) -> str:
        """Changes when the file may have."""
        try:
            stat = os.stat(self.root / key)
        except OSError:
            return "missing"
        return f"{stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns}"

    def load(self, key: str) -> np.ndarray:
        return decode(self.root / key)

    @property
    def face_box(self) -> Box | None:  # type: ignore[override]
        if self._face_box == "auto":
            from zoo.faces.box import estimate_face_box  # brings in a face detector

            self._face_box = estimate_face_box(islice(self._sample(), _FACE_SAMPLE))
        return self._face_box

    def _sample(self) -> Iterator[np.ndarray]:
        """Train images, where there are any, in the order of a hash of their names: fair, and the same everywhere."""
        splits = self._found()
        names = splits.get("train") or [name for some in splits.values() for name in some]
        for key in sorted(names, key=name_hash):
            with suppress(BrokenImageError):
                yield self.load(key)


def find_images(root: Path, *below: str) -> dict[str, list[str]]:
    """The image files below ``root``, or below some folders in it, each file once; see `zoo.reading.folders.walk`.

    Args:
        root: the folder to which names are relative.
        below: folders in it. A file that is in several, by links, is in the first; none: all of ``root``.

    Returns:
        Sorted relative POSIX paths, by folder (``"."`` for ``root`` itself). What is left out is told in a warning.
    """
    found: dict[str, list[str]] = {name: [] for name in below or (".",)}
    others = []
    for path in walk(*(root / name for name in found)):
        if is_image_name(path):
            relative = path.relative_to(root)
            found[relative.parts[0] if below else "."].append(relative.as_posix())
        else:
            others.append(path)
    if others:
        warnings.warn(f"{root}: {left_out(others)}", stacklevel=2)
    return {name: sorted(names) for name, names in found.items()}


def hash_split(name: str, val_fraction: float, test_fraction: float) -> Split:
    """The split of a name: a function of the name alone, so that it does not change when others come or go."""
    u = int.from_bytes(name_hash(name)[:8], "big") / 2**64
    if u < test_fraction:
        return "test"
    return "val" if u < test_fraction + val_fraction else "train"


def split_by_hash(
    names: Iterable[str], val_fraction: float, test_fraction: float, together: Mapping[str, str] | None = None
) -> dict[str, list[str]]:
    """``together``: a name → another whose split it shares."""
    splits: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    for name in names:
        splits[hash_split(together[name] if together else name, val_fraction, test_fraction)].append(name)
    return splits


def check_fractions(val_fraction: float, test_fraction: float) -> None:
    """Raises `ZooError` unless both are at least 0 and no more than all; with all of them nothing can be trained."""
    if not (val_fraction >= 0 and test_fraction >= 0 and val_fraction + test_fraction <= 1):
        raise ZooError(
            f"val_fraction={val_fraction} and test_fraction={test_fraction}: expected two numbers of at least 0 "
            "with a sum of at most 1"
        )


def _parse_face_box(value: Sequence[float] | str | None) -> Box | Literal["auto"] | None:
    if value is None or value == "auto":
        return value  # type: ignore[return-value]
    try:
        x0, y0, side = map(float, value)
    except (TypeError, ValueError):
        side = 0.0
    if not side > 0:
        raise ZooError(f'face_box={value!r}: expected "auto", null, or [x0, y0, side] in fractions of the image')
    return Box(x0, y0, side)
