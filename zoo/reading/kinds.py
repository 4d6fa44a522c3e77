"""Which image files are read. Kinds are told by content; suffixes say which files of a folder are looked at."""

from __future__ import annotations

from functools import cache

# No EPS, which runs a program, and none of the many rare kinds whose readers hardly anybody tests.
_KINDS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "MPO", "PNG", "PPM", "TIFF", "WEBP")
# fmt: off
_SUFFIXES = frozenset([
    ".avif", ".bmp", ".gif", ".j2c", ".j2k", ".jfif", ".jp2", ".jpc", ".jpe", ".jpeg", ".jpf", ".jpg", ".jpx", ".mpo",
    ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp",
])
# fmt: on
_HEIF_SUFFIXES = frozenset([".heic", ".heif"])
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")
_NO_HEIF = "HEIC is not supported without pillow-heif: install it (the extra heic), or convert to JPEG or PNG first"
USUAL = ".jpg, .png, .webp, .tif"  # for messages


@cache
def kinds() -> tuple[str, ...]:
    """Pillow's names of the kinds that can be read here."""
    from PIL import Image

    Image.init()
    wanted = (*_KINDS, "HEIF") if reads_heif() else _KINDS
    return tuple(name for name in wanted if name in Image.OPEN)


def suffixes() -> frozenset[str]:
    """Lower-case endings of the files that are looked at in a folder."""
    return _SUFFIXES | _HEIF_SUFFIXES if reads_heif() else _SUFFIXES


@cache
def reads_heif() -> bool:
    """Whether pillow-heif is installed (the extra ``heic``); it is made known to Pillow."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return False
    register_heif_opener()
    return True


def unread(suffix: str) -> str:
    """Why files with this ending are not looked at in a folder, where that can be mended; else ""."""
    return _NO_HEIF if suffix in _HEIF_SUFFIXES - suffixes() else ""


def unidentified(head: bytes) -> str:
    """Why a file that begins with ``head`` (12 bytes) is not read."""
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS and not reads_heif():
        return _NO_HEIF
    return f"not an image of a known kind; expected one of {', '.join(kinds())}"
