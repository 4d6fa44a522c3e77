"""Opening image files that nobody has vetted."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from zoo.errors import ZooError
from zoo.reading import tags
from zoo.reading.budget import BUDGET
from zoo.reading.kinds import kinds, unidentified

_JPEG = b"\xff\xd8"
_PREFIX = b"Exif\0\0"
_PREFIXES = 64  # in one file; a camera writes one for each picture in it
_LONGEST_EXIF = 1 << 18  # bytes; a JPEG's own limit is a quarter
_SCAN, _MOST_SCANS = b"\xff\xda", 200  # of a progressive JPEG, which has about ten; each goes over all of the picture

# Pillow keeps pixels in blocks of 16 MB, which the C library does not give back to the system but keeps for the thread:
# 350 MB for each thread that has once decoded 88 megapixels. Blocks above 32 MB are given back.
Image.core.set_block_size(1 << 26)
tags.bound()


class BrokenImageError(ZooError):
    """One image cannot be used; the text is the reason. In a data set it is skipped, named and counted."""


@contextmanager
def open_image(path: Path, max_pixels: int) -> Iterator[Image.Image]:
    """The image in a file, decoded, of several frames the first; what fails in the block counts as its fault, too.

    The size is read from the header before anything is decoded. EXIF data is cut short before Pillow parses it, whose
    time grows with the square of its length.

    Raises:
        BrokenImageError: missing, empty, no image of a known kind, truncated, or more than ``max_pixels``.
        MemoryError: which says nothing about the image.
    """
    try:
        with _opened(path) as file, Image.open(file, formats=kinds()) as image:
            pixels = image.width * image.height
            if pixels > max_pixels:
                raise BrokenImageError(f"{image.width} × {image.height} pixels; at most {max_pixels:,} are read")
            with BUDGET.hold(pixels):
                image.load()
                _forget_long_exif(image)
                yield image
    except (ZooError, MemoryError):
        raise
    except FileNotFoundError:
        raise BrokenImageError("no such file") from None
    except PermissionError:
        raise BrokenImageError("no permission to read it") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise BrokenImageError(f"too many pixels; at most {max_pixels:,} are read") from None
    except Image.UnidentifiedImageError:
        raise BrokenImageError(unidentified(_head(path))) from None
    except Exception as error:  # a malformed file makes Pillow's plug-ins raise nearly anything
        reason = " ".join(str(error).split()) or type(error).__name__
        raise BrokenImageError(f"truncated or damaged ({reason})") from error


def _opened(path: Path) -> BinaryIO:
    """The file; if it is of a kind whose EXIF Pillow parses on opening, and repeats the prefix of EXIF data over and
    over, without that data.

    Raises `BrokenImageError` for what takes minutes to decode.
    """
    if path.is_dir():
        raise BrokenImageError("not a file")
    file = path.open("rb")
    head = file.read(12)
    if not head:
        file.close()
        raise BrokenImageError("empty file")
    file.seek(0)
    if not head.startswith(_JPEG) and head[4:8] != b"ftyp":  # JPEG, and the family of AVIF and HEIF
        return file
    with file:
        content = file.read()
    if content.startswith(_JPEG) and content.count(_SCAN) > _MOST_SCANS:
        raise BrokenImageError(f"a progressive JPEG of more than {_MOST_SCANS} scans")
    return io.BytesIO(content.replace(_PREFIX, b"none\0\0") if content.count(_PREFIX) > _PREFIXES else content)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(12)


def _forget_long_exif(image: Image.Image) -> None:
    for name in ("exif", "Raw profile type exif"):
        data = image.info.get(name) or b""
        if len(data) > _LONGEST_EXIF or (isinstance(data, bytes) and data.count(_PREFIX) > _PREFIXES):
            del image.info[name]
