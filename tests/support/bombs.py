"""Photos whose EXIF data claims more than there is, and what it costs to believe it."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

PREFIX = b"Exif\0\0"
TALL = Image.fromarray(np.arange(12 * 8, dtype=np.uint8).reshape(12, 8))


def directory(values: list[tuple[int, int]], length: int, first: bytes = b"") -> bytes:
    """EXIF data of ``length`` bytes with tags of which each has its value at (offset, size); ``first``: before them."""
    entries = b"".join(struct.pack("<HHII", 50_000 + i, 7, size, offset) for i, (offset, size) in enumerate(values))
    count = len(values) + len(first) // 12
    head = b"II*\0" + struct.pack("<IH", 8, count) + first + entries + bytes(4)
    assert len(head) <= length
    return head + bytes(length - len(head))


def turned(length: int = 100, values: list[tuple[int, int]] | None = None) -> bytes:
    """EXIF data that says to turn the photo by a quarter, and what else is given."""
    return directory(values or [], length, first=struct.pack("<HHII", 0x0112, 3, 1, 6))


def write(path: Path, exif: bytes) -> Path:
    if path.suffix == ".jpg":  # Pillow itself writes none of more than one segment
        TALL.save(path)
        parts = [exif[i : i + 60_000] for i in range(0, len(exif), 60_000)]
        segments = [b"\xff\xe1" + struct.pack(">H", len(part) + 8) + PREFIX + part for part in parts]
        whole = path.read_bytes()
        path.write_bytes(whole[:2] + b"".join(segments) + whole[2:])
    else:
        TALL.convert("RGB").save(path, exif=PREFIX + exif)
    return path


def bomb() -> bytes:
    """EXIF data of 50 kB whose tags name the same 20 kB a thousand times."""
    return directory([(20_000, 20_000)] * 1000, 50_000)


@contextmanager
def copied() -> Iterator[list[int]]:
    """How many bytes are copied out of tags each time that some are read in the block."""
    counts: list[int] = []
    read = ImageFileDirectory_v2.load

    def counting(self: ImageFileDirectory_v2, file: io.BytesIO) -> None:
        read(self, file)
        counts.append(sum(map(len, self._tagdata.values())))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ImageFileDirectory_v2, "load", counting)
        yield counts
