"""Pictures as callers have them (files, PIL images, arrays, tensors) to photos, and colourings back to that kind."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image

from zoo.errors import ZooError
from zoo.photos.photo import Photo, read_photo

_KINDS = "a path, a PIL image, an array or a tensor, or a list of them"
_RANGES = "uint8, uint16, or floats in [0, 1]"
_SHAPES = {
    "array": "(H, W), (H, W, 1), (H, W, 3), (H, W, 4), or a batch (N, H, W, C) of them",
    "tensor": "(C, H, W), or a batch (N, C, H, W), of 1 or 3 channels, or with channels last",
}


class Picture(NamedTuple):
    """A picture as a photo, and how to give colourings of it, (H, W, 3) uint8, the kind that it had."""

    photo: Photo
    back: Callable[[np.ndarray], Any]


class Pictures(NamedTuple):
    """What a caller gave, and how to give it back."""

    pictures: list[Picture]
    listed: bool  # whether it was a list
    join: Callable[[list[Any]], Any]  # one colouring of each → what to give back


def as_pictures(given: Any) -> Pictures:
    """One picture, a batch, or a list of pictures of one kind. Raises `ZooError` for anything else."""
    if isinstance(given, list | tuple):
        return Pictures(_listed(given), True, list)
    if isinstance(given, torch.Tensor) and given.ndim == 4:
        return Pictures(_batch(given, "tensor"), False, torch.stack)
    if isinstance(given, np.ndarray) and given.ndim == 4:
        return Pictures(_batch(given, "array"), False, np.stack)
    return Pictures([as_picture(given)], False, lambda all: all[0])


def as_picture(image: Any) -> Picture:
    """One file, PIL image, array (H, W[, C]) or tensor (C, H, W) or (H, W, C). Raises `ZooError` for anything else."""
    if isinstance(image, str | os.PathLike):
        return _pil(read_photo(os.fsdecode(image)))
    if isinstance(image, Image.Image):
        if 0 in image.size:
            raise ZooError(f"cannot colour an image of {image.width} × {image.height} pixels: there are none")
        return _pil(Photo.from_image(image))
    if isinstance(image, np.ndarray):
        return _array(image)
    if isinstance(image, torch.Tensor):
        return _tensor(image)
    raise ZooError(f"cannot colour a {type(image).__name__}; expected {_KINDS}")


def _listed(given: Sequence[Any]) -> list[Picture]:
    """Those of a list; what is wrong with one is told with its place."""
    kinds = {_kind(each): type(each).__name__ for each in given}
    if len(kinds) > 1:
        raise ZooError(
            f"cannot colour a list of several kinds ({', '.join(sorted(kinds.values()))}): "
            "they would come back as several; give one of each kind"
        )
    pictures = []
    for i, each in enumerate(given):
        try:
            pictures.append(as_picture(each))
        except ZooError as error:
            raise ZooError(f"picture {i + 1} of {len(given)}: {error}") from error
    return pictures


def _kind(image: Any) -> type:
    """What it comes back as."""
    if isinstance(image, str | os.PathLike):
        return Image.Image
    return next((kind for kind in (Image.Image, np.ndarray, torch.Tensor) if isinstance(image, kind)), type(image))


def _batch(given: Any, what: str) -> list[Picture]:
    if len(given) == 0:
        raise ZooError(f"cannot colour {what}s of shape {tuple(given.shape)}: there are none")
    return [as_picture(each) for each in given]


def _pil(photo: Photo) -> Picture:
    def back(rgb: np.ndarray) -> Image.Image:
        image = Image.fromarray(rgb)
        if photo.alpha is not None:
            image.putalpha(Image.fromarray(photo.alpha))
        return image

    return Picture(photo, back)


def _array(image: np.ndarray) -> Picture:
    if image.ndim not in (2, 3) or image.shape[2:] not in ((), (1,), (3,), (4,)):
        raise _misshapen("array", image.shape)
    dtype = image.dtype
    if dtype.kind != "f" and (dtype.kind != "u" or dtype.itemsize > 2):
        raise _mistyped("array", dtype)
    pixels = _pixels(image[..., 0] if image.shape[2:] == (1,) else image)

    def back(rgb: np.ndarray) -> np.ndarray:
        colored = rgb / 255 if dtype.kind == "f" else rgb * dtype.type(np.iinfo(dtype).max // 255)
        alpha = image[..., 3:] if image.shape[2:] == (4,) else colored[..., 3:]  # of these there is none
        return np.concatenate([colored, alpha], axis=2).astype(dtype)

    return Picture(Photo.from_array(pixels), back)


def _tensor(image: torch.Tensor) -> Picture:
    first, last = (image.ndim == 3 and image.shape[i] in (1, 3) for i in (0, 2))
    if not (first or last):
        raise _misshapen("tensor", tuple(image.shape))
    if image.dtype not in (torch.uint8, torch.uint16) and not image.is_floating_point():
        raise _mistyped("tensor", image.dtype)
    values = image.detach().cpu()
    values = values.double() if image.is_floating_point() else values  # NumPy has no bfloat16
    picture = _array((values.permute(1, 2, 0) if first else values).numpy())

    def back(rgb: np.ndarray) -> torch.Tensor:
        colored = torch.from_numpy(picture.back(rgb)).to(image.device, image.dtype)
        return colored.permute(2, 0, 1).contiguous() if first else colored

    return Picture(picture.photo, back)


def _pixels(image: np.ndarray) -> np.ndarray:
    """(H, W) or (H, W, C) as `Photo.from_array` takes it: greys keep 16 bits."""
    if image.size == 0:
        raise ZooError(f"cannot colour pixels of shape {image.shape}: there are none")
    if image.dtype == np.uint8:
        return np.ascontiguousarray(image)
    if image.dtype.kind == "u":  # of 16 bits, in whatever order of bytes
        return image.astype(np.uint16) if image.ndim == 2 else np.round(image / 257).astype(np.uint8)
    if not np.isfinite(image).all():
        raise ZooError("cannot colour floats that are not finite: there are NaN or infinite ones")
    if image.min() < 0 or image.max() > 1:
        raise ZooError(f"cannot colour floats beyond [0, 1] ({image.min():g} to {image.max():g}); divide by the white")
    return np.round(image.astype(np.float32) * 255).astype(np.uint8)


def _misshapen(what: str, shape: tuple[int, ...]) -> ZooError:
    first = what == "array" and len(shape) in (3, 4) and shape[-3] in (1, 3, 4)
    told = "; channels go last" if first else ""
    return ZooError(f"cannot colour {what}s of shape {shape}; expected {_SHAPES[what]}{told}")


def _mistyped(what: str, dtype: Any) -> ZooError:
    return ZooError(f"cannot colour {what}s of {dtype}; expected {_RANGES}")
