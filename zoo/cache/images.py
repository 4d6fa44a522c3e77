"""Decoded images on disk: decoded once, resampled to each view that a run needs, read in batches.

A *view* is a square of the image at some size, in colour or as lightness alone: the denoiser's is the whole image in
colour, an encoder's is where its network wants the face, in grey. Each is resampled from the source, never from
another view.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from zoo.cache.contract import keys_of, loaded
from zoo.cache.record_file import RowFile, write_rows
from zoo.color.grey import is_grey, stored_lightness
from zoo.data import BrokenImageError, Dataset, Split, name_hash, state
from zoo.errors import ZooError
from zoo.faces.framing import WHOLE, Box, resample
from zoo.progress import Progress
from zoo.reading.budget import BUDGET
from zoo.reading.near_duplicates import Fingerprints, fingerprint, near

if TYPE_CHECKING:
    from zoo.encoders import Encoder

_FORMAT = 3  # raise it when the same dataset and view would give other pixels
_CHUNK = 64  # images in the hands of the threads at once
_NAMED = 5  # skipped images that a warning names


@dataclass(frozen=True)
class View:
    """What to see of an image.

    Attributes:
        size: side of the result in pixels.
        box: the square to see, in fractions of the image; outside the image its edge is repeated.
        grey: one channel, CIE L* as round(255·L*/100); otherwise sRGB.
    """

    size: int
    box: Box = WHOLE
    grey: bool = False

    @property
    def channels(self) -> int:
        return 1 if self.grey else 3


class ImageCache:
    """One view of one split, decoded.

    Attributes:
        view: what was asked for.
        keys: names of the images kept, sorted.
        manifest: sha256 over the kept keys and the pixels of their sources; the same for every view and machine.
        skipped: (key, reason) of images that could not be used.
        grey: keys of the images without colour; they are not among ``keys`` if they were to be dropped.
        near: (key, other) of images that were left out because ``other``, elsewhere, shows the same picture.
    """

    def __init__(self, path: Path, view: View) -> None:
        self._file = RowFile(path)
        self.view = view
        meta = self._file.meta
        self.keys: tuple[str, ...] = tuple(meta["keys"])
        self.manifest: str = meta["manifest"]
        self.skipped: tuple[tuple[str, str], ...] = tuple((key, reason) for key, reason in meta["skipped"])
        self.grey: tuple[str, ...] = tuple(meta["grey"])
        self.near: tuple[tuple[str, str], ...] = tuple((key, other) for key, other in meta["near"])

    def __len__(self) -> int:
        return len(self.keys)

    @cached_property
    def fingerprints(self) -> Fingerprints:
        """By which pictures are known again, of the kept images."""
        return Fingerprints.from_hex(self.keys, self._file.meta["fingerprints"])

    @property
    def size(self) -> int:
        """Side of one image in pixels."""
        return self.view.size

    @property
    def shape(self) -> tuple[int, int, int]:
        """(S, S, C) of one image."""
        return (self.view.size, self.view.size, self.view.channels)

    @property
    def images(self) -> np.memmap:
        """(N, S, S, C) uint8, mapped. For looking at some; `batch` reads many without the memory that a map takes."""
        return np.memmap(self._file.path, np.uint8, "r", shape=(len(self), *self.shape))

    def batch(self, indices: np.ndarray) -> np.ndarray:
        """Images ``indices`` (n,), in that order → (n, S, S, C) uint8, a copy."""
        out = np.empty((len(indices), *self.shape), np.uint8)
        self._file.read(np.asarray(indices), out)
        return out


def open_images(
    dataset: Dataset,
    split: Split,
    view: View,
    cache_dir: Path,
    *,
    drop_grey: bool,
    limit: int | None = None,
    unlike: Fingerprints | None = None,
    progress: Progress | None = None,
    workers: int | None = None,
) -> ImageCache:
    """The images of a split, from ``cache_dir``; decoded into it first if they are not there.

    Which images are kept is judged on the source, so all views of a split hold the same ones in the same order.
    Images that cannot be used are skipped and named in a warning.

    Args:
        dataset: where the images come from.
        split: which of them.
        view: what to see of each.
        cache_dir: made if missing. Files that are no longer wanted may be deleted from it at any time.
        drop_grey: leave out images without colour (`is_grey`).
        limit: keep at most so many: the first by a hash of their keys, a fair sample and the same everywhere.
        unlike: leave out images that show the same picture as one of these (`zoo.reading.near_duplicates`).
        progress: wraps the loop over the images.
        workers: threads that decode; None: a few more than cores. Does not change the result.

    Raises:
        ZooError: nothing is left, or the cache cannot be written.
    """
    if limit is not None and limit < 1:
        raise ZooError(f"a limit of {limit} images leaves none; expected at least 1, or null for all")
    asked = (
        _FORMAT,
        state(dataset, split),
        split,
        view.size,
        tuple(view.box),
        view.grey,
        drop_grey,
        limit,
        unlike and unlike.sha,
    )
    name = hashlib.sha256(repr(asked).encode()).hexdigest()[:24]
    path = Path(cache_dir) / f"{split}-{view.size}px-{name}.images"
    try:
        cache = ImageCache(path, view)
    except (OSError, ZooError):  # not there, or damaged
        decode = partial(_decode, dataset=dataset, view=view, unlike=unlike)
        _build(path, dataset, split, decode, drop_grey, limit, progress, workers)
        cache = ImageCache(path, view)
    if cache.skipped:
        warnings.warn(f"{split} images: {_summary(cache.skipped)}", stacklevel=2)
    return cache


def encoder_view(encoder: Encoder, dataset: Dataset, image_size: int) -> View | None:
    """Where and how large ``encoder`` wants to see this dataset's images; None: as the denoiser does."""
    face_box = dataset.face_box if encoder.frame is not None else None
    box = WHOLE if encoder.frame is None or face_box is None else face_box.of(encoder.frame)
    size = encoder.spec.input_size or image_size
    return None if size == image_size and box == WHOLE else View(size, box, grey=True)


class _Decoded(NamedTuple):
    row: np.ndarray  # (S, S, C) uint8
    sha: str  # of the source
    grey: bool
    fingerprint: str
    like: str | None  # what shows the same picture elsewhere


Decode = Callable[[str], _Decoded | str]  # key → the view of an image, or the reason why there is none


def _decode(key: str, dataset: Dataset, view: View, unlike: Fingerprints | None) -> _Decoded | str:
    """See `Decode`."""
    with BUDGET.scope():  # of many large photos, only some are in memory at once
        try:
            source = loaded(dataset, key)
        except BrokenImageError as error:
            return str(error)
        seen = resample(source, view.box, view.size)
        sha = hashlib.sha256(f"{source.shape}".encode())
        sha.update(source.data)
        row, known = stored_lightness(seen) if view.grey else seen, fingerprint(source)
        like = None if unlike is None else _like(Fingerprints.from_hex((key,), [known]), unlike)
        return _Decoded(row, sha.hexdigest(), is_grey(source), known, like)


def _like(image: Fingerprints, unlike: Fingerprints) -> str | None:
    found = near(image.bits, unlike.bits)
    return unlike.keys[found[0, 1]] if len(found) else None


def _decode_all(keys: list[str], decode: Decode, workers: int | None) -> Iterator[tuple[str, _Decoded | str]]:
    """In the order of ``keys``. Threads do: Pillow and hashlib work outside the interpreter's lock."""
    with ThreadPoolExecutor(workers) as pool:
        for start in range(0, len(keys), _CHUNK):
            chunk = keys[start : start + _CHUNK]
            yield from zip(chunk, pool.map(decode, chunk))


def _build(
    path: Path,
    dataset: Dataset,
    split: Split,
    decode: Decode,
    drop_grey: bool,
    limit: int | None,
    progress: Progress | None,
    workers: int | None,
) -> None:
    keys = keys_of(dataset, split)
    if limit is not None:
        keys = sorted(keys, key=name_hash)
    kept: dict[str, tuple[str, str]] = {}  # key → sha of its source, fingerprint
    skipped: list[tuple[str, str]] = []
    grey: list[str] = []
    alike: list[tuple[str, str]] = []
    decoded: Iterable[tuple[str, _Decoded | str]] = _decode_all(keys, decode, workers)
    if progress is not None:
        decoded = progress(decoded, min(len(keys), limit or len(keys)), f"decoding {split} images")
    with write_rows(path) as writer:
        for key, image in decoded:
            if isinstance(image, str):
                skipped.append((key, image))
                continue
            if image.grey:
                grey.append(key)
            if image.like is not None:
                alike.append((key, image.like))
            elif not (image.grey and drop_grey):
                writer.append(image.row[None])
                kept[key] = image.sha, image.fingerprint
            if len(kept) == limit:
                break
        if not kept:
            raise ZooError(_nothing_left(split, skipped, grey, alike))
        if limit is not None:
            names = list(kept)
            writer.reorder(sorted(range(len(names)), key=names.__getitem__))
        lists = {"keys": sorted(kept), "skipped": sorted(skipped), "grey": sorted(grey), "near": sorted(alike)}
        prints = [kept[key][1] for key in sorted(kept)]
        writer.meta = {**lists, "manifest": _manifest(kept), "fingerprints": prints}


def _manifest(kept: dict[str, tuple[str, str]]) -> str:
    content = "\n".join(f"{key}\0{sha}" for key, (sha, _) in sorted(kept.items()))
    return hashlib.sha256(content.encode("utf-8", "surrogateescape")).hexdigest()


def _summary(skipped: Iterable[tuple[str, str]]) -> str:
    names = [f"{key!r} ({reason})" for key, reason in skipped]
    more = f", and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{len(names)} skipped: {', '.join(names[:_NAMED])}{more}"


def _nothing_left(split: Split, skipped: list[tuple[str, str]], grey: list[str], alike: list[tuple[str, str]]) -> str:
    reasons = [f"{len(grey)} are grey and cannot teach colour"] if grey else []
    reasons += [f"{len(alike)} show the same as photos of other splits"] if alike else []
    reasons += [_summary(skipped)] if skipped else []
    return f"no usable {split} image: {'; '.join(reasons)}. Expected colour photos; check the data set's root"
