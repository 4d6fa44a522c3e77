"""Photos of many kinds and modes, and what can happen to them: the same damage for the same seed, everywhere."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from functools import cache

import numpy as np
from PIL import ExifTags, Image, ImageCms

from zoo.reading.kinds import reads_heif, suffixes

Damage = Callable[[bytes, np.random.Generator], bytes]
_WIDTH, _HEIGHT = 28, 23
_PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
_MODES = {
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "JPEG": ("L", "RGB", "CMYK"),
    "MPO": ("L", "RGB"),
    "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "LAB", "I;16", "I;16B", "I", "F"),
    "WEBP": ("RGB", "RGBA"),
    "GIF": ("1", "L", "P", "RGBA"),
    "AVIF": ("RGB", "RGBA"),
    "JPEG2000": ("L", "LA", "RGB", "RGBA", "I;16"),
    "BMP": ("1", "L", "P", "RGB"),
    "PPM": ("1", "L", "RGB", "I;16"),
    "HEIF": ("RGB", "RGBA"),
}
_TIFF_COMPRESSIONS = ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")


def damaged_photo(seed: int) -> tuple[str, bytes]:
    """A file's name, whose suffix may be wrong, and its content; one in 20 is whole."""
    rng = np.random.default_rng(seed)
    wholes = _wholes()
    kind, content = wholes[rng.integers(len(wholes))]
    anywhere: tuple[Damage, ...] = (_cut, _flipped, _zeroed, _moved, _spliced, _numbers)
    damages: tuple[Damage, ...] = (*anywhere, _flipped_head, _sized, _metadata)
    if rng.random() > 0.05:
        for _ in range(rng.integers(1, 3)):
            content = damages[rng.integers(len(damages))](content, rng)
    if content.startswith(b"\x89PNG") and rng.random() < 0.7:
        content = _with_sums(content)
    own = {"JPEG": ".jpg", "JPEG2000": ".jp2", "HEIF": ".heic"}.get(kind, f".{kind.lower()}")
    suffix = own if rng.random() < 0.8 else sorted(suffixes())[rng.integers(len(suffixes()))]
    return f"photo{suffix}", content


@cache
def _wholes() -> list[tuple[str, bytes]]:
    """(kind, content) of a small photo in every mode that the kind has, without and with metadata."""
    kinds = [kind for kind in _MODES if kind != "HEIF" or reads_heif()]
    found = [(kind, _encoded(kind, mode, full)) for kind in kinds for mode in _MODES[kind] for full in (False, True)]
    found += [("TIFF", _encoded("TIFF", "RGB", False, compression=name)) for name in _TIFF_COMPRESSIONS]
    junk = bytes(range(256)) * 3
    broken: dict[str, object] = {"exif": b"Exif\0\0MM\0*" + junk, "icc_profile": _PROFILE[:200] + junk}
    found += [(kind, _encoded(kind, "RGB", False, **broken)) for kind in ("JPEG", "PNG", "WEBP", "AVIF", "TIFF")]
    return [*found, ("PNG", _encoded("PNG", "P", False, transparency=b"\x00\x80\xff"))]


def _encoded(kind: str, mode: str, full: bool, **options: object) -> bytes:
    if full:
        options |= {"exif": _exif(), "dpi": (300, 300)}
        if mode in ("RGB", "RGBA", "P"):
            options["icc_profile"] = _PROFILE
    if kind == "MPO":
        options |= {"save_all": True, "append_images": [_picture(mode)]}
    buffer = io.BytesIO()
    _picture(mode).save(buffer, kind, **options)
    return buffer.getvalue()


def _exif() -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Make] = "camera"
    exif[ExifTags.IFD.GPSInfo] = {ExifTags.GPS.GPSLatitude: (50.0, 3.0, 1.5), ExifTags.GPS.GPSLatitudeRef: "N"}
    exif[ExifTags.IFD.Exif] = {ExifTags.Base.DateTimeOriginal: "2020:01:01 00:00:00", ExifTags.Base.ISOSpeed: 100}
    return exif.tobytes()


def _picture(mode: str) -> Image.Image:
    y, x = np.mgrid[:_HEIGHT, :_WIDTH]
    deep = x * 2000 + y * 31
    raw = {
        "I;16": deep.astype("<u2"),
        "I;16B": deep.astype(">u2"),
        "I": deep.astype("<i4"),
        "F": (x / 32).astype("<f4"),
    }
    if mode in raw:
        return Image.frombytes(mode, (_WIDTH, _HEIGHT), raw[mode].tobytes())
    rgba = np.stack([x * 8, y * 9, (x + y) * 4, 255 - x * 3], axis=-1).astype(np.uint8)
    if mode == "LAB":
        return Image.frombytes(mode, (_WIDTH, _HEIGHT), np.ascontiguousarray(rgba[..., :3]).tobytes())
    image = Image.fromarray(rgba)
    return image.convert(mode) if mode in ("RGBA", "LA") else image.convert("RGB").convert(mode)


def _cut(content: bytes, rng: np.random.Generator) -> bytes:
    return content[: int(rng.integers(len(content) + 1))]


def _flipped(content: bytes, rng: np.random.Generator) -> bytes:
    return _flip(content, len(content), rng)


def _flipped_head(content: bytes, rng: np.random.Generator) -> bytes:
    return _flip(content, 128, rng)


def _flip(content: bytes, end: int, rng: np.random.Generator) -> bytes:
    data = bytearray(content)
    for place in rng.integers(0, min(end, len(data)), rng.integers(1, 8)) if data else ():
        data[place] ^= int(rng.integers(1, 256))
    return bytes(data)


def _zeroed(content: bytes, rng: np.random.Generator) -> bytes:
    start, length = int(rng.integers(len(content) + 1)), int(rng.integers(1, 256))
    return content[:start] + bytes(len(content[start : start + length])) + content[start + length :]


def _moved(content: bytes, rng: np.random.Generator) -> bytes:
    """A stretch lost, or there twice."""
    start, length = int(rng.integers(len(content) + 1)), int(rng.integers(1, 64))
    return content[:start] + content[start + length * int(rng.choice([-1, 1])) :]


def _spliced(content: bytes, rng: np.random.Generator) -> bytes:
    """The beginning of one file and the end of another, often of another kind."""
    wholes = _wholes()
    other = wholes[rng.integers(len(wholes))][1]
    return content[: int(rng.integers(len(content) + 1))] + other[int(rng.integers(len(other))) :]


def _sized(content: bytes, rng: np.random.Generator) -> bytes:
    """A width or height edited, wherever it stands."""
    codes = [code for code in (">H", "<H", ">I", "<I") if _places(content, code)]
    if not codes:
        return content
    code = codes[rng.integers(len(codes))]
    places = _places(content, code)
    return _put(content, places[rng.integers(len(places))], code, rng)


def _numbers(content: bytes, rng: np.random.Generator) -> bytes:
    """Any number made extreme."""
    if len(content) < 8:
        return content
    return _put(content, int(rng.integers(len(content) - 4)), str(rng.choice([">H", "<H", ">I", "<I"])), rng)


def _places(content: bytes, code: str) -> list[int]:
    sides = (struct.pack(code, side) for side in (_WIDTH, _HEIGHT))
    return [place for side in sides for place in range(len(content)) if content.startswith(side, place)]


def _put(content: bytes, place: int, code: str, rng: np.random.Generator) -> bytes:
    most = 2 ** (8 * struct.calcsize(code)) - 1
    value = int(rng.choice([0, 1, 2, 4000, 30_000, 2**15, 2**16 - 1, most // 2, most // 2 + 1, most]))
    data = struct.pack(code, value)
    return content[:place] + data + content[place + len(data) :]


def _metadata(content: bytes, rng: np.random.Generator) -> bytes:
    """A block of EXIF data or a colour profile, damaged and perhaps huge, in files of which that is known."""
    block = [_exif(), _PROFILE][rng.integers(2)]
    block = _flip(block, len(block), rng) * int(rng.choice([1, 1, 1, 500, 20_000 // len(block) + 1]))
    if content.startswith(b"\xff\xd8"):
        name = b"Exif\0\0" if block.startswith(b"Exif") else b"ICC_PROFILE\0\x01\x01"
        parts = [block[i : i + 60_000] for i in range(0, len(block), 60_000)]
        markers = [_jpeg_segment(name + part.removeprefix(b"Exif\0\0"), name.startswith(b"Exif")) for part in parts]
        return content[:2] + b"".join(markers) + content[2:]
    if content.startswith(b"\x89PNG"):
        is_profile = not block.startswith(b"Exif")
        data = b"a\0\0" + zlib.compress(block) if is_profile else block.removeprefix(b"Exif\0\0")
        return content[:33] + _png_chunk(b"iCCP" if is_profile else b"eXIf", data) + content[33:]
    return content


def _jpeg_segment(data: bytes, exif: bool) -> bytes:
    return (b"\xff\xe1" if exif else b"\xff\xe2") + struct.pack(">H", len(data) + 2) + data


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _with_sums(content: bytes) -> bytes:
    """A PNG whose chunks have the sums of what is in them now, so that it is not the sums that give damage away."""
    found, place = content[:8], 8
    while place + 12 <= len(content):
        (length,) = struct.unpack(">I", content[place : place + 4])
        if place + 12 + length > len(content):
            break
        found += _png_chunk(content[place + 4 : place + 8], content[place + 8 : place + 8 + length])
        place += 12 + length
    return found + content[place:]
