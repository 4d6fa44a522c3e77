"""Pictures that a system has left, each found by the name of the photo that it colours."""

from __future__ import annotations

import hashlib
import os
import unicodedata
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from zoo.data import BrokenImageError, Dataset, Split
from zoo.errors import ZooError
from zoo.reading.folders import is_image_name, walk
from zoo.reading.kinds import suffixes
from zoo.reading.square import decode

_NAMED = 5  # files that a message names


class Outputs(Dataset):
    """Pictures below ``root``, by the names of the photos that they colour; each is read as its photo is.

    Args:
        root: the folder.
        files: key of a photo → its picture, relative to ``root``.
        photos: where the photos themselves are.
        size: side in pixels at which photos are scored.
    """

    distinct = True

    def __init__(self, root: Path, files: Mapping[str, str], photos: Dataset, size: int) -> None:
        self.root, self.files, self.photos, self.size = root, files, photos, size

    def keys(self, split: Split) -> list[str]:
        return sorted(self.files)

    def signature(self, split: Split) -> str:
        digest = hashlib.sha256(f"outputs {self.root.resolve()}".encode("utf-8", "surrogateescape"))
        for key, file in sorted(self.files.items()):
            stat = os.stat(self.root / file)
            state = f"\n{key}\0{file}\0{stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns}"
            digest.update(state.encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def load(self, key: str) -> np.ndarray:
        """Raises `ZooError` for a picture that cannot be read, or is smaller than both its photo and the size at which
        photos are scored: it would be enlarged, and blamed for it."""
        path = self.root / self.files[key]
        try:
            picture = decode(path)
        except BrokenImageError as error:
            raise ZooError(f"output {path} cannot be used: {error}") from error
        side = len(picture)
        if side < self.size and side < (of_photo := len(self.photos.load(key))):
            raise ZooError(
                f"output {path} has a side of {side} pixels, its photo one of {of_photo}; "
                f"expected the photo's size, or at least the {self.size} at which it is scored"
            )
        return picture


def find_outputs(root: Path, wanted: Sequence[str], others: Sequence[str] = ()) -> dict[str, str]:
    """The picture of each photo: of the same relative path, else of the same but for the suffix or, where there is none
    and no two photos share that name, of the same name in any folder. A warning names files that colour no photo.

    Args:
        root: the folder with the pictures.
        wanted: keys of the photos, relative POSIX paths.
        others: keys of photos whose pictures may be there and are not asked for.

    Raises:
        ZooError: ``root`` is no folder, a photo has no picture, or several, or another's.
    """
    if not root.is_dir():
        raise ZooError(f"root={str(root)!r} is not a folder; give the folder that holds the outputs")
    files = sorted(path.relative_to(root).as_posix() for path in walk(root) if is_image_name(path))
    of = _Named(files, {*wanted, *others}).of
    found = {key: of(key) for key in wanted}
    used = {file for key in (*wanted, *others) for file in of(key)}
    surplus = [file for file in files if file not in used]
    told = f"{_some(surplus, 'output')} of no photo: {_list(surplus)}" if surplus else ""
    if missing := [key for key, some in found.items() if not some]:
        lacking = f"{_some(missing, 'photo')} of {len(found)} without an output: {_list(missing)}"
        raise ZooError(f"root={str(root)!r}: {'; '.join([lacking, *([told] if told else [])])}")
    if several := [f"{key} ({' and '.join(some)})" for key, some in found.items() if len(some) > 1]:
        raise ZooError(f"root={str(root)!r}: {_some(several, 'photo')} with several outputs: {_list(several)}")
    owners = Counter(some[0] for some in found.values())
    if shared := [key for key, some in found.items() if owners[some[0]] > 1]:
        raise ZooError(f"root={str(root)!r}: {_some(shared, 'photo')} that share an output: {_list(shared)}")
    if told:
        warnings.warn(f"{root}: {told}", stacklevel=2)
    return {key: some[0] for key, some in found.items()}


class _Named:
    """``files`` by the names of the photos ``keys``."""

    def __init__(self, files: Sequence[str], keys: Iterable[str]) -> None:
        self._files = {*files}
        self._by_path: dict[str, list[str]] = defaultdict(list)
        self._by_name: dict[str, list[str]] = defaultdict(list)
        for file in files:
            self._by_path[_bare(file)].append(file)
            self._by_name[PurePosixPath(_bare(file)).name].append(file)
        self._photos = Counter(PurePosixPath(_bare(key)).name for key in keys)

    def of(self, key: str) -> list[str]:
        """What may be the picture of a photo: one file, none, or several."""
        path, name = _bare(key), PurePosixPath(_bare(key)).name
        if key in self._files:
            return [key]
        return self._by_path.get(path) or (self._by_name.get(name, []) if self._photos[name] == 1 else [])


def _bare(name: str) -> str:
    """A relative path without the suffix of an image, its letters composed (macOS may store them decomposed)."""
    path = PurePosixPath(unicodedata.normalize("NFC", name))
    return str(path.with_suffix("") if path.suffix.lower() in suffixes() else path)


def _some(names: Sequence[str], what: str) -> str:
    return f"{len(names)} {what}{'s' * (len(names) > 1)}"


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
