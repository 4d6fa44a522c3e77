"""One image file → pixels, whatever kind of file it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from zoo.data import BrokenImageError

MAX_PIXELS = 89_478_485  # Pillow's own limit: a quarter of a GiB decoded


def decode(path: Path) -> np.ndarray:
    """A file → its centre square, (S, S, 3) uint8 sRGB, upright, transparency over white.

    Raises:
        BrokenImageError: empty, truncated, no image, or larger than 89 megapixels.
    """
    try:
        if path.stat().st_size == 0:
            raise BrokenImageError("empty file")
        with Image.open(path) as image:
            if image.width * image.height > MAX_PIXELS:
                raise BrokenImageError(f"{image.width} × {image.height} pixels are too many")
            return np.asarray(_rgb(_square(ImageOps.exif_transpose(image))))
    except (BrokenImageError, MemoryError):
        raise
    except FileNotFoundError:
        raise BrokenImageError("file not found") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise BrokenImageError("too many pixels") from None
    except Image.UnidentifiedImageError:
        raise BrokenImageError("not an image") from None
    except Exception as error:  # a malformed file makes Pillow's plug-ins raise nearly anything
        raise BrokenImageError(f"{type(error).__name__}: {error}") from error


def _square(image: Image.Image) -> Image.Image:
    side = min(image.size)
    x0, y0 = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((x0, y0, x0 + side, y0 + side))


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits, which Pillow's own conversion clips instead of scaling
        values = np.clip(np.asarray(image).astype(np.int64), 0, 65535)
        return Image.fromarray(((values + 128) // 257).astype(np.uint8)).convert("RGB")
    if image.mode == "F":
        raise BrokenImageError("floating-point pixels, whose range is not known")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")
