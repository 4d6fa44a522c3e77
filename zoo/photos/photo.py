"""Photos in files: read whatever kind of file it is, and written with what the old one knew about the picture."""

from __future__ import annotations

import errno
import io
import os
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import ExifTags, Image
from torch import Tensor

from zoo.color.grey import is_grey
from zoo.color.lab import uint8_to_lightness
from zoo.errors import ZooError
from zoo.files import replacing
from zoo.reading.pixels import to_pixels
from zoo.reading.source import BrokenImageError, open_image

MAX_PIXELS = 50_000_000
_WRITTEN = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".tif": "TIFF", ".tiff": "TIFF"}
_LONGEST = {"JPEG": 65_500, "WEBP": 16_383}  # sides in pixels
_OPTIONS: dict[str, dict[str, Any]] = {
    "PNG": {"compress_level": 4},  # half the time of the default for 5 % more bytes
    "JPEG": {"quality": 95, "subsampling": "4:4:4"},
    "WEBP": {"lossless": True, "exact": True, "method": 0, "quality": 0},  # a tenth of the time, half as large again
    "TIFF": {},  # uncompressed: with compression, libtiff refuses the EXIF data
}
_MOST_DPI = 65_535  # of a JPEG; what is beyond is no resolution
_UNUSABLE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)  # a disk that takes no other photo either
_LONGEST_EXIF = 65_533  # bytes, in a JPEG
_KEPT_TAGS = (
    ExifTags.Base.ImageDescription,
    ExifTags.Base.Make,
    ExifTags.Base.Model,
    ExifTags.Base.DateTime,
    ExifTags.Base.Artist,
    ExifTags.Base.Copyright,
)
# These tell of the old file's pixels, or may hold a preview of them.
_DROPPED_TAGS = (
    ExifTags.Base.ColorSpace,
    ExifTags.Base.ExifImageWidth,
    ExifTags.Base.ExifImageHeight,
    ExifTags.Base.ExifInteroperabilityOffset,
    ExifTags.Base.MakerNote,
)


class UnwritablePhotoError(ZooError):
    """This photo cannot be written there; others can."""


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo, upright, in sRGB.

    Attributes:
        rgb: (H, W, 3) uint8 sRGB.
        lightness: (H, W) uint16, L* as 65535·L*/100, of a grey photo with more than 8 bits; None: L follows from rgb.
        alpha: (H, W) uint8, or None.
        info: what to keep of the file's metadata, as arguments of Pillow's ``save``: ``exif``, ``dpi``.
        has_color: whether it shows colour, and is not just a grey photo in a colour file.
    """

    rgb: np.ndarray
    lightness: np.ndarray | None = None
    alpha: np.ndarray | None = None
    info: dict[str, Any] = field(default_factory=dict)
    has_color: bool = False

    @classmethod
    def from_image(cls, image: Image.Image) -> Photo:
        """A PIL image of any mode, turned upright as its EXIF says. Raises `ZooError` for an unknown range."""
        image.load()
        info = _metadata(image)
        rgb, lightness, alpha = to_pixels(image)
        colorless = image.mode in ("1", "L", "LA", "La") or lightness is not None
        return cls(rgb, lightness, alpha, info, has_color=not colorless and not is_grey(rgb))

    @classmethod
    def from_array(cls, array: np.ndarray) -> Photo:
        """uint8 (H, W), (H, W, 3) or (H, W, 4), sRGB and alpha, or grey uint16 (H, W)."""
        return cls.from_image(Image.fromarray(array))

    def L(self, rows: slice = slice(None)) -> Tensor:
        """L of a band of rows, (1, 1, h, W) float32 in [-1, 1]."""
        if self.lightness is None:
            return uint8_to_lightness(torch.from_numpy(self.rgb[rows])[None])
        return torch.from_numpy(self.lightness[rows].astype(np.float32))[None, None] / 32767.5 - 1


def read_photo(path: str | os.PathLike[str], *, max_pixels: int = MAX_PIXELS) -> Photo:
    """Read an image file of any kind that `zoo.reading.kinds` lists; of several frames, the first.

    Orientation and colour profile are applied. Greys keep 16 bits; colours of more than 8 are read as 8.

    Raises:
        ZooError: missing, empty, no image, truncated, or more than ``max_pixels`` (read from the header, before
            anything is decoded).
    """
    path = Path(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # there is a limit of our own
            with open_image(path, max_pixels) as image:
                return Photo.from_image(image)
    except BrokenImageError as error:
        raise ZooError(f"{path}: {error}") from error
    except MemoryError:
        raise ZooError(f"{path}: not enough memory to decode it") from None


def write_photo(path: str | os.PathLike[str], rgb: np.ndarray, photo: Photo | None = None) -> None:
    """Write a picture; the file is there whole, or not at all.

    PNG, TIFF and WebP are lossless. JPEG (quality 95, 4:4:4) is not: its compression changes L a little; it has no
    alpha either, so there transparency is put over white.

    Args:
        path: its suffix says the format.
        rgb: (H, W, 3) uint8 sRGB.
        photo: where it comes from: its alpha and metadata are kept, where the format has them. Camera, time, place,
            author and resolution are; previews of the old picture are not. Orientation is upright.

    Raises:
        ZooError: unknown suffix, no such folder, disk full.
        UnwritablePhotoError: it is too large for the format, its name is too long, or the like.
    """
    path = Path(path)
    kind = format_of(path)
    if not path.parent.is_dir():
        raise ZooError(f"cannot write {path}: there is no folder {path.parent}")
    height, width = rgb.shape[:2]
    if max(height, width) > _LONGEST.get(kind, max(height, width)):
        limit = f"{kind} ends at {_LONGEST[kind]} pixels a side, not {width} × {height}"
        raise UnwritablePhotoError(f"cannot write {path}: {limit}")
    try:
        encoded = _encode(kind, rgb, photo)
    except Exception as error:  # Pillow's plug-ins raise nearly anything for metadata that they cannot hold
        raise UnwritablePhotoError(f"cannot write {path}: {kind} cannot hold it ({error})") from error
    store(path, encoded)


def store(path: Path, encoded: memoryview) -> None:
    """Write a file whole, or not at all. Raises as `write_photo` does."""
    try:
        with replacing(path) as temporary:
            temporary.write_bytes(encoded)
    except OSError as error:
        kind = ZooError if error.errno in _UNUSABLE else UnwritablePhotoError
        raise kind(f"cannot write {path}: {error.strerror or error}") from error


def format_of(path: Path) -> str:
    """Pillow's name of the format in which `write_photo` writes ``path``. Raises `ZooError` for an unknown suffix."""
    try:
        return _WRITTEN[path.suffix.lower()]
    except KeyError:
        raise ZooError(f"{path}: unknown suffix {path.suffix!r}; expected one of {', '.join(_WRITTEN)}") from None


def _metadata(image: Image.Image) -> dict[str, Any]:
    """What is worth keeping, as arguments of Pillow's ``save``."""
    info: dict[str, Any] = {}
    dpi = image.info.get("dpi")
    if dpi is not None and len(dpi) == 2 and all(0 < x <= _MOST_DPI for x in dpi):
        info["dpi"] = (float(dpi[0]), float(dpi[1]))
    try:
        exif = _exif(image.getexif())
    except Exception as error:  # as above; nothing of it is needed
        warnings.warn(f"the EXIF data is broken and was left out ({error})", stacklevel=2)
        exif = None
    if exif:
        info["exif"] = exif
    return info


def _exif(old: Image.Exif) -> bytes | None:
    new = Image.Exif()
    for tag in _KEPT_TAGS:
        if tag in old:
            new[tag] = old[tag]
    for ifd in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo):
        kept = {tag: value for tag, value in old.get_ifd(ifd).items() if tag not in _DROPPED_TAGS}
        if kept:
            new[ifd] = kept
    if not len(new):
        return None
    new[ExifTags.Base.Orientation] = 1
    return new.tobytes()


def _encode(kind: str, rgb: np.ndarray, photo: Photo | None) -> memoryview:
    """In memory: Pillow, writing to a file itself, does not say that the disk is full."""
    image = Image.fromarray(rgb)
    info = {} if photo is None else dict(photo.info)
    if photo is not None and photo.alpha is not None:
        alpha = Image.fromarray(photo.alpha)
        if kind == "JPEG":
            image = Image.composite(image, Image.new("RGB", image.size, "white"), alpha)
        else:
            image.putalpha(alpha)
    if kind == "JPEG" and len(info.get("exif", b"")) > _LONGEST_EXIF:
        del info["exif"]
    buffer = io.BytesIO()
    image.save(buffer, kind, **_OPTIONS[kind], **info)
    return buffer.getbuffer()
