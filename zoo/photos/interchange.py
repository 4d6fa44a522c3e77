"""Pictures as callers have them (PIL images, arrays, tensors) to photos, and colourings back to the same kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image

from zoo.errors import ZooError
from zoo.photos.photo import Photo

_EXPECTED = (
    "expected a PIL image, a uint8 array (H, W), (H, W, 3) or (H, W, 4), or a tensor (C, H, W) or (N, C, H, W) with "
    "1 or 3 channels, uint8 or float in [0, 1]"
)


class Picture(NamedTuple):
    """A picture as a photo, and how to give colourings of it, (H, W, 3) uint8, the kind that it had."""

    photo: Photo
    back: Callable[[np.ndarray], Any]


def as_picture(image: Any) -> Picture:
    """One PIL image, array (H, W[, C]) or tensor (C, H, W). Raises `ZooError` for anything else."""
    if isinstance(image, Image.Image):
        photo = Photo.from_image(image)
        return Picture(photo, lambda rgb: _to_pil(rgb, photo.alpha))
    if isinstance(image, np.ndarray):
        if image.dtype != np.uint8 or image.size == 0 or image.ndim < 2 or image.shape[2:] not in ((), (3,), (4,)):
            raise ZooError(f"cannot colour an array {image.dtype} {image.shape}: {_EXPECTED}")
        photo = Photo.from_array(image)
        keeps_alpha = image.shape[2:] == (4,)
        return Picture(photo, lambda rgb: np.concatenate([rgb, image[..., 3:]], axis=2) if keeps_alpha else rgb)
    if isinstance(image, torch.Tensor):
        return Picture(Photo.from_array(_to_array(image)), lambda rgb: _to_tensor(rgb, image))
    raise ZooError(f"cannot colour a {type(image).__name__}: {_EXPECTED}")


def _to_pil(rgb: np.ndarray, alpha: np.ndarray | None) -> Image.Image:
    image = Image.fromarray(rgb)
    if alpha is not None:
        image.putalpha(Image.fromarray(alpha))
    return image


def _to_array(image: torch.Tensor) -> np.ndarray:
    """(1, H, W) or (3, H, W) → (H, W, 3) uint8."""
    usable = image.dtype == torch.uint8 or image.is_floating_point()
    if image.ndim != 3 or image.shape[0] not in (1, 3) or image.numel() == 0 or not usable:
        raise ZooError(f"cannot colour a tensor {image.dtype} {tuple(image.shape)}: {_EXPECTED}")
    pixels = image.detach().cpu().expand(3, -1, -1).permute(1, 2, 0)
    if image.is_floating_point():
        if not (pixels.min() >= 0 and pixels.max() <= 1):  # not: NaN fails both
            raise ZooError("cannot colour a tensor of floats beyond [0, 1]; divide by 255, or give uint8")
        pixels = (pixels.float() * 255).round().to(torch.uint8)
    return np.ascontiguousarray(pixels.numpy())


def _to_tensor(rgb: np.ndarray, like: torch.Tensor) -> torch.Tensor:
    """(H, W, 3) uint8 → (3, H, W) of the kind of ``like``."""
    pixels = torch.from_numpy(rgb).permute(2, 0, 1).contiguous().to(like.device)
    return pixels if like.dtype == torch.uint8 else (pixels.float() / 255).to(like.dtype)
