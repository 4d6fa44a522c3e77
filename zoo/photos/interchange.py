"""Pictures as callers have them (files, PIL images, arrays, tensors) to photos, and colourings back to that kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image

from zoo.errors import ZooError
from zoo.photos.photo import Photo, read_photo

_EXPECTED = (
    "expected a path, a PIL image, an array (H, W), (H, W, 3), (H, W, 4) or (N, H, W, 3), or a tensor (C, H, W) or "
    "(N, C, H, W) with 1 or 3 channels, or with channels last; uint8, or float in [0, 1]"
)


class Picture(NamedTuple):
    """A picture as a photo, and how to give colourings of it, (H, W, 3) uint8, the kind that it had."""

    photo: Photo
    back: Callable[[np.ndarray], Any]


class Pictures(NamedTuple):
    """What a caller gave, and how to give it back."""

    pictures: list[Picture]
    several: bool  # whether it was more than one picture
    join: Callable[[list[Any]], Any]  # one colouring of each → what to give back


def as_pictures(given: Any) -> Pictures:
    """One picture, a batch, or a list of pictures. Raises `ZooError` for anything else."""
    if isinstance(given, list | tuple):
        return Pictures([as_picture(each) for each in given], True, list)
    if isinstance(given, torch.Tensor) and given.ndim == 4:
        return Pictures([as_picture(each) for each in given], True, lambda all: torch.stack(all) if all else given)
    if isinstance(given, np.ndarray) and given.ndim == 4:
        return Pictures([as_picture(each) for each in given], True, lambda all: np.stack(all) if all else given)
    return Pictures([as_picture(given)], False, lambda all: all[0])


def as_picture(image: Any) -> Picture:
    """One file, PIL image, array (H, W[, C]) or tensor (C, H, W) or (H, W, C). Raises `ZooError` for anything else."""
    if isinstance(image, str | Path):
        return _pil(read_photo(image))
    if isinstance(image, Image.Image):
        return _pil(Photo.from_image(image))
    if isinstance(image, np.ndarray):
        return _array(image)
    if isinstance(image, torch.Tensor):
        return _tensor(image)
    raise ZooError(f"cannot colour a {type(image).__name__}: {_EXPECTED}")


def _pil(photo: Photo) -> Picture:
    def back(rgb: np.ndarray) -> Image.Image:
        image = Image.fromarray(rgb)
        if photo.alpha is not None:
            image.putalpha(Image.fromarray(photo.alpha))
        return image

    return Picture(photo, back)


def _array(image: np.ndarray) -> Picture:
    usable = image.dtype == np.uint8 or np.issubdtype(image.dtype, np.floating)
    if not usable or image.size == 0 or image.ndim not in (2, 3) or image.shape[2:] not in ((), (1,), (3,), (4,)):
        raise ZooError(f"cannot colour an array {image.dtype} {image.shape}: {_EXPECTED}")
    pixels = image if image.dtype == np.uint8 else _to_uint8(torch.from_numpy(image.astype(np.float32))).numpy()

    def back(rgb: np.ndarray) -> np.ndarray:
        colored = rgb if image.dtype == np.uint8 else (rgb / 255).astype(image.dtype)
        return np.concatenate([colored, image[..., 3:]], axis=2) if image.shape[2:] == (4,) else colored

    return Picture(Photo.from_array(pixels[..., 0] if image.shape[2:] == (1,) else pixels), back)


def _tensor(image: torch.Tensor) -> Picture:
    usable = (image.dtype == torch.uint8 or image.is_floating_point()) and image.ndim == 3 and image.numel() > 0
    first, last = (usable and image.shape[i] in (1, 3) for i in (0, 2))
    if not (first or last):
        raise ZooError(f"cannot colour a tensor {image.dtype} {tuple(image.shape)}: {_EXPECTED}")
    if not first:
        image = image.permute(2, 0, 1)
    pixels = _to_uint8(image.detach().cpu().expand(3, -1, -1).permute(1, 2, 0))

    def back(rgb: np.ndarray) -> torch.Tensor:
        colored = torch.from_numpy(rgb).to(image.device)
        colored = colored if image.dtype == torch.uint8 else (colored.float() / 255).to(image.dtype)
        return colored.permute(2, 0, 1).contiguous() if first else colored

    return Picture(Photo.from_array(np.ascontiguousarray(pixels.numpy())), back)


def _to_uint8(pixels: torch.Tensor) -> torch.Tensor:
    if not pixels.is_floating_point():
        return pixels
    if not (pixels.min() >= 0 and pixels.max() <= 1):  # not: NaN fails both
        raise ZooError("cannot colour floats beyond [0, 1]; divide by 255, or give uint8")
    return (pixels.float() * 255).round().to(torch.uint8)
