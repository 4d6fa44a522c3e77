"""A bound on what Pillow copies out of a file's tags: those of TIFF, and EXIF data, which has the same form.

Each tag says where its value lies and how long it is. Nothing keeps thousands of them from naming the same megabyte:
Pillow copies it for each, so that a photo of 1 MB takes 6 GB and half a minute. Values of real files lie side by side.
"""

from __future__ import annotations

import os
import struct
import warnings
from collections.abc import Iterator
from typing import IO, Any

from PIL.TiffImagePlugin import ImageFileDirectory_v2

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8}  # bytes, by type
_DAMAGED = 16  # values beyond the end, each of which is read as far as it goes and dropped: cameras write such

_load = ImageFileDirectory_v2.load


def overlapping(directory: Any, file: IO[bytes]) -> bool:
    """Whether the tags of a directory, which begins where ``file`` stands, are together longer than the file."""
    here = file.tell()
    length = file.seek(0, os.SEEK_END)
    file.seek(here)
    whole = cut = 0
    for offset, size in _values(directory, file):
        whole += size if offset + size <= length else 0
        cut += max(0, length - offset) if offset + size > length else 0
    file.seek(here)
    return whole > length or cut > _DAMAGED * length


def _values(directory: Any, file: IO[bytes]) -> Iterator[tuple[int, int]]:
    """(offset, size) of each value that does not lie in the directory itself."""
    order, big = directory._endian, directory._bigtiff
    count, entry, inline = ("Q", "HHQQ", 8) if big else ("H", "HHLL", 4)
    head = file.read(struct.calcsize(f"{order}{count}"))
    if len(head) < struct.calcsize(f"{order}{count}"):
        return
    step = struct.calcsize(f"{order}{entry}")
    for _ in range(struct.unpack(f"{order}{count}", head)[0]):
        data = file.read(step)
        if len(data) < step:
            return
        _, kind, number, offset = struct.unpack(f"{order}{entry}", data)
        size = number * _SIZES.get(kind, 0)
        if size > inline:
            yield offset, size


def _bounded(self: ImageFileDirectory_v2, file: IO[bytes]) -> None:
    if overlapping(self, file):
        self.reset()
        warnings.warn("tags that overlap were left out", stacklevel=2)  # as Pillow does with those that it cannot read
        return
    _load(self, file)


def bound() -> None:
    """From now on Pillow, wherever it reads tags in this process, leaves those of a directory out that overlap."""
    ImageFileDirectory_v2.load = _bounded  # type: ignore[assignment, method-assign]
