"""Any PIL image → upright sRGB of 8 bits, lightness of 16 where the source has that much, and alpha."""

from __future__ import annotations

import io
import warnings
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from PIL import ExifTags, Image, ImageCms, ImageOps
from PIL.TiffImagePlugin import TiffImageFile

from zoo.color.lab import l_star
from zoo.color.srgb import to_linear
from zoo.reading.source import BrokenImageError

_SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}  # of a mode, as ICC profiles name them
_SAME = 1  # of 255; a profile that moves no colour further than this is sRGB itself


class Pixels(NamedTuple):
    """See `zoo.photos.photo.Photo`."""

    rgb: np.ndarray  # (H, W, 3) uint8 sRGB
    lightness: np.ndarray | None  # (H, W) uint16, L* as 65535·L*/100
    alpha: np.ndarray | None  # (H, W) uint8

    def over_white(self) -> np.ndarray:
        """(H, W, 3) uint8 sRGB, what is transparent before white."""
        if self.alpha is None:
            return self.rgb
        image = Image.fromarray(self.rgb)
        return np.asarray(Image.composite(image, Image.new("RGB", image.size, "white"), Image.fromarray(self.alpha)))


def to_pixels(image: Image.Image, *, square: bool = False) -> Pixels:
    """Pixels of a decoded image of any mode, turned as its EXIF data says.

    A colour profile is followed (relative colorimetric, black point compensated); a broken one is ignored with a
    warning. CMYK without a profile is converted naively, as Pillow does. Greys of more than 8 bits are scaled by what
    the file says about its bits; floats are taken to reach from 0 to 1.

    Args:
        image: of any mode that a file has.
        square: only the middle, as a square.

    Raises:
        BrokenImageError: integers of more than 16 bits, or floats beyond [0, 1]: their range is not known.
    """
    icc = image.info.get("icc_profile") or None
    white, negative = _white(image), _is_negative(image)
    image = _upright(image)
    image = _square(image) if square and image.width != image.height else image
    if image.mode[0] in "IF":
        values = _uint16(image, white)
        return _deep(65535 - values if negative else values, icc)
    alpha = None
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        alpha = np.array(rgba.getchannel("A"))
        image = image.convert("L") if image.mode in ("1", "L", "LA", "La") else rgba.convert("RGB")
    return Pixels(np.array(_srgb(image, icc)), None, alpha)


def _white(image: Image.Image) -> int:
    """The largest value of a grey of more than 8 bits: 4095 in a TIFF of 12, which Pillow does not scale."""
    if not isinstance(image, TiffImageFile) or not image.mode.startswith("I;16"):
        return 65535
    bits = image.tag_v2.get(ExifTags.Base.BitsPerSample, (16,))
    return 2 ** min(max((bits if isinstance(bits, tuple) else (bits,))[0], 1), 16) - 1


def _is_negative(image: Image.Image) -> bool:
    """Whether it is a TIFF whose 0 is white and which Pillow, with 16 bits, does not turn round itself."""
    white_is_zero = isinstance(image, TiffImageFile) and image.tag_v2.get(ExifTags.Base.PhotometricInterpretation) == 0
    return white_is_zero and image.mode.startswith("I;16")


def _upright(image: Image.Image) -> Image.Image:
    try:
        if image.getexif().get(ExifTags.Base.Orientation, 1) == 1:
            return image
        return ImageOps.exif_transpose(image)
    except (SyntaxError, ValueError, KeyError, TypeError, OSError):  # what Pillow raises for EXIF that is none
        return image


def _square(image: Image.Image) -> Image.Image:
    side = min(image.size)
    x0, y0 = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((x0, y0, x0 + side, y0 + side))


def _srgb(image: Image.Image, icc: bytes | None) -> Image.Image:
    """An image without alpha → RGB."""
    if image.mode == "1":
        image = image.convert("L")
    if image.mode == "L" and _space(icc) == "GRAY":
        return image.point(_curve(icc).tolist()).convert("RGB")
    if image.mode not in ("CMYK", "LAB", "RGB"):
        image = image.convert("RGB")
    moved = _through(icc, image)
    if moved is None:
        return image if image.mode == "RGB" else image.convert("RGB")
    return moved


def _through(icc: bytes | None, image: Image.Image) -> Image.Image | None:
    """``image`` from a profile's colours to sRGB; None if there is none, or it would change nothing, or cannot."""
    if icc is None and image.mode != "LAB":
        return None
    space = _space(icc)
    if image.mode != "LAB" and space != _SPACES[image.mode]:
        if space is not None:
            warnings.warn(f"the colour profile is for {space}, the photo is {image.mode}: ignored", stacklevel=2)
        return None
    try:
        transform = _transform(icc, image.mode)
        return None if transform is None else ImageCms.applyTransform(image, transform)
    except (ImageCms.PyCMSError, ValueError) as error:
        warnings.warn(f"the colour profile cannot be used and was ignored ({error})", stacklevel=2)
        return None


def _space(icc: bytes | None) -> str | None:
    """The space that a profile is for; None if there is none, or it is broken."""
    if icc is None:
        return None
    try:
        return ImageCms.ImageCmsProfile(io.BytesIO(icc)).profile.xcolor_space.strip()
    except (ImageCms.PyCMSError, OSError) as error:
        warnings.warn(f"the colour profile is broken and was ignored ({error})", stacklevel=2)
        return None


@lru_cache(maxsize=32)
def _transform(icc: bytes | None, mode: str) -> ImageCms.ImageCmsTransform | None:
    """From the colours of a profile, or of Lab, to sRGB; None if that would change nothing. Photos of one camera share
    it."""
    lab = mode == "LAB"
    source = ImageCms.createProfile("LAB") if lab else ImageCms.ImageCmsProfile(io.BytesIO(icc or b""))
    transform = ImageCms.buildTransform(
        source,
        ImageCms.createProfile("sRGB"),
        mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    return None if mode == "RGB" and _is_identity(transform) else transform


def _is_identity(transform: ImageCms.ImageCmsTransform) -> bool:
    levels = np.linspace(0, 255, 16).astype(np.uint8)
    colors = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(64, 64, 3)
    moved = np.asarray(ImageCms.applyTransform(Image.fromarray(colors), transform))
    return int(np.abs(moved.astype(int) - colors).max()) <= _SAME


def _curve(icc: bytes | None) -> np.ndarray:
    """The sRGB grey of each grey of a profile: (256,) uint8."""
    ramp = np.arange(256, dtype=np.uint8)
    moved = _through(icc, Image.fromarray(ramp[None]))
    if moved is None:
        return ramp
    curve = np.asarray(moved)[0, :, 1]
    return ramp if np.abs(curve.astype(int) - ramp).max() <= _SAME else curve


def _uint16(image: Image.Image, white: int) -> np.ndarray:
    """Modes I, I;16, F → (H, W) uint16 over the whole range; ``white`` is the largest value of I;16."""
    values = np.asarray(image)
    if image.mode == "F":
        if not (values.min() >= 0 and values.max() <= 1):  # not: NaN fails both
            raise BrokenImageError("floats beyond [0, 1], whose range is not known; expected 8 or 16 bits")
        return np.rint(values * np.float32(65535)).astype(np.uint16)
    if image.mode == "I" and not (values.min() >= 0 and values.max() <= 65535):
        raise BrokenImageError("32-bit pixels, whose range is not known; expected 8 or 16 bits")
    if white < 65535:
        return np.rint(values.clip(0, white) * (65535 / white)).astype(np.uint16)
    return values.astype(np.uint16)


def _deep(values: np.ndarray, icc: bytes | None) -> Pixels:
    """Greys (H, W) uint16, through tables of all 65,536."""
    grey = np.arange(65536) / 65535
    if _space(icc) == "GRAY":
        grey = np.interp(grey, np.arange(256) / 255, _curve(icc) / 255)
    lightness = np.rint(l_star(to_linear(grey)) * 655.35).astype(np.uint16)[values]
    rgb = np.rint(grey * 255).astype(np.uint8)[values]
    return Pixels(np.repeat(rgb[..., None], 3, axis=2), lightness, None)
