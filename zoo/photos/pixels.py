"""Any PIL image → sRGB of 8 bits, lightness of 16 where the source has that much, and alpha."""

from __future__ import annotations

import io
import warnings
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageCms

from zoo.color.lab import l_star
from zoo.color.srgb import to_linear
from zoo.errors import ZooError

_SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}  # of a mode, as ICC profiles name them
_SAME = 1  # of 255; a profile that moves no colour further than this is sRGB itself


class Pixels(NamedTuple):
    """See `zoo.photos.photo.Photo`."""

    rgb: np.ndarray  # (H, W, 3) uint8 sRGB
    lightness: np.ndarray | None  # (H, W) uint16
    alpha: np.ndarray | None  # (H, W) uint8


def to_pixels(image: Image.Image, *, negative: bool = False) -> Pixels:
    """Pixels of an image of any mode, as it lies (orientation is the caller's).

    A colour profile is followed (relative colorimetric, black point compensated); a broken one is ignored with a
    warning. CMYK without a profile is converted naively, as Pillow does. Floats are taken to reach from 0 to 1.

    Args:
        image: of which all modes are known but those that no file has.
        negative: its 16-bit greys run from white to black.

    Raises:
        ZooError: integers of more than 16 bits, or floats beyond [0, 1]: their range is not known.
    """
    profile = _profile(image)
    if image.mode[0] in "IF":
        values = _uint16(image)
        return _deep(65535 - values if negative else values, profile)
    alpha = None
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        alpha = np.array(rgba.getchannel("A"))
        image = image.convert("L") if image.mode in ("1", "L", "LA", "La") else rgba.convert("RGB")
    return Pixels(np.array(_srgb(image, profile)), None, alpha)


def _profile(image: Image.Image) -> ImageCms.ImageCmsProfile | None:
    if image.mode == "LAB":
        return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    icc = image.info.get("icc_profile")
    if not icc:
        return None
    try:
        return ImageCms.ImageCmsProfile(io.BytesIO(icc))
    except (ImageCms.PyCMSError, OSError) as error:
        warnings.warn(f"the colour profile is broken and was ignored ({error})", stacklevel=2)
        return None


def _srgb(image: Image.Image, profile: ImageCms.ImageCmsProfile | None) -> Image.Image:
    """An image without alpha → RGB."""
    if image.mode == "1":
        image = image.convert("L")
    if image.mode == "L" and profile is not None and profile.profile.xcolor_space.strip() == "GRAY":
        return image.point(_curve(profile).tolist()).convert("RGB")
    if image.mode not in ("CMYK", "LAB"):
        image = image.convert("RGB")
    moved = None if profile is None else _through(profile, image)
    return image.convert("RGB") if moved is None else moved


def _through(profile: ImageCms.ImageCmsProfile, image: Image.Image) -> Image.Image | None:
    """``image`` from a profile's colours to sRGB; None if that cannot be done, or would change nothing."""
    space = profile.profile.xcolor_space.strip()
    if image.mode != "LAB" and space != _SPACES[image.mode]:
        warnings.warn(f"the colour profile is for {space}, the photo is {image.mode}: ignored", stacklevel=2)
        return None
    try:
        transform = ImageCms.buildTransform(
            profile,
            ImageCms.createProfile("sRGB"),
            image.mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        if image.mode == "RGB" and _is_identity(transform):
            return None
        return ImageCms.applyTransform(image, transform)
    except (ImageCms.PyCMSError, ValueError) as error:
        warnings.warn(f"the colour profile cannot be used and was ignored ({error})", stacklevel=2)
        return None


def _is_identity(transform: ImageCms.ImageCmsTransform) -> bool:
    levels = np.linspace(0, 255, 16).astype(np.uint8)
    colors = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(64, 64, 3)
    moved = np.asarray(ImageCms.applyTransform(Image.fromarray(colors), transform))
    return int(np.abs(moved.astype(int) - colors).max()) <= _SAME


def _curve(profile: ImageCms.ImageCmsProfile) -> np.ndarray:
    """The sRGB grey of each grey of a profile: (256,) uint8."""
    ramp = np.arange(256, dtype=np.uint8)
    moved = _through(profile, Image.fromarray(ramp[None]))
    if moved is None:
        return ramp
    curve = np.asarray(moved)[0, :, 1]
    return ramp if np.abs(curve.astype(int) - ramp).max() <= _SAME else curve


def _uint16(image: Image.Image) -> np.ndarray:
    """Modes I, I;16, F → (H, W) uint16 over the whole range."""
    values = np.asarray(image)
    if image.mode == "F":
        if not (values.min() >= 0 and values.max() <= 1):  # not: NaN fails both
            raise ZooError("floating-point pixels beyond [0, 1], whose range is not known; expected 8 or 16 bits")
        return np.rint(values * np.float32(65535)).astype(np.uint16)
    if image.mode == "I" and not (values.min() >= 0 and values.max() <= 65535):
        raise ZooError("32-bit pixels, whose range is not known; expected 8 or 16 bits")
    return values.astype(np.uint16)


def _deep(values: np.ndarray, profile: ImageCms.ImageCmsProfile | None) -> Pixels:
    """Greys (H, W) uint16, through tables of all 65,536."""
    grey = np.arange(65536) / 65535
    if profile is not None and profile.profile.xcolor_space.strip() == "GRAY":
        grey = np.interp(grey, np.arange(256) / 255, _curve(profile) / 255)
    lightness = np.rint(l_star(to_linear(grey)) * 655.35).astype(np.uint16)[values]
    rgb = np.rint(grey * 255).astype(np.uint8)[values]
    return Pixels(np.repeat(rgb[..., None], 3, axis=2), lightness, None)
