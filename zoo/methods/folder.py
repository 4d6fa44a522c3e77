"""The colours of any other system, which left its pictures in a folder."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import ZooError
from zoo.methods import Materials, Method, OpenView, Photos
from zoo.registry import methods

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from zoo.cache.images import ImageCache
    from zoo.data import Dataset
    from zoo.features import Features

_BATCH = 64
_ANOTHER = 10.0  # mean |ΔL*| from which on a picture hardly shows the same photo in the same place
_NAMED = 5
_LABEL = re.compile(r"[\w.+-][\w .+-]{0,38}[\w.+-]|[\w.+-]")


@methods.register("folder")
class FolderMethod(Method):
    """What any system left in a folder: pictures, matched by name, scored as they are. Nothing is trained.

    They keep the lightness that they have, whatever the photo's is; the metric ``lightness_shift`` tells how far that
    is off.

    Args:
        images: the pictures, in the order of the photos.
        root: the folder; a picture has its photo's path below it, or name, with any suffix.
        label: what the system is called in tables, up to 40 letters, digits, spaces and any of ``.+-``.
    """

    learns = False

    def __init__(self, images: ImageCache, root: str | Path, label: str | None = None) -> None:
        if label is not None and not _LABEL.fullmatch(label):
            raise ZooError(f"label={label!r}: expected up to 40 letters, digits, spaces and any of . + -")
        self.images = images

    @classmethod
    def of(cls, materials: Materials, root: str | Path = "", **options: Any) -> Method:
        return cls(_opened(materials, Path(root).expanduser()), root, **options)

    @classmethod
    def contents(cls, materials: Materials, **options: Any) -> dict[str, str]:
        images = cls.of(materials, **options).images  # type: ignore[attr-defined]
        _warn_of_others(images, materials.scored)
        return {"root": images.manifest}

    def open(self, dataset: Dataset, open_view: OpenView, image_size: int, device: str) -> None:
        from zoo.cache.images import View

        if self.images.size != image_size or self.images.keys != open_view(View(image_size)).keys:
            raise ZooError("the outputs are those of other photos, or of another size; open them for these")

    def lightness(self, photos: Photos) -> Tensor:
        return self._lab(photos)[0]

    def sample(self, photos: Photos, features: Features, generators: Sequence[torch.Generator]) -> Tensor:
        return self._lab(photos)[1]

    def _lab(self, photos: Photos) -> tuple[Tensor, Tensor]:
        import torch

        from zoo.color.lab import uint8_to_lab

        return uint8_to_lab(torch.from_numpy(self.images.batch(photos.indices)).to(photos.L.device))


def _opened(materials: Materials, root: Path) -> ImageCache:
    """The pictures as the photos are seen: the same square, the same filter."""
    from zoo.cache.images import open_images
    from zoo.methods._outputs import Outputs, find_outputs

    scored = materials.scored
    others = [key for split in ("train", "val", "test") for key in _keys(materials.dataset, split)]
    files = find_outputs(root, scored.keys, sorted({*others} - {*scored.keys}))
    outputs = Outputs(root, files, materials.dataset, scored.size)
    return open_images(outputs, "test", scored.view, materials.cache_dir, drop_grey=False)


def _keys(dataset: Dataset, split: Any) -> list[str]:
    try:
        return dataset.keys(split)
    except ZooError:  # it has none
        return []


def _warn_of_others(images: ImageCache, photos: ImageCache) -> None:
    """Names pictures whose lightness is so far off that they may be of another photo, or framed otherwise."""
    import numpy as np
    import torch

    from zoo.color.lab import uint8_to_lab

    found = []
    for start in range(0, len(photos), _BATCH):
        indices = np.arange(start, min(start + _BATCH, len(photos)))
        L, of_photos = (uint8_to_lab(torch.from_numpy(some.batch(indices)))[0] for some in (images, photos))
        shift = 50 * (L - of_photos).abs().mean(dim=(1, 2, 3))
        found += [photos.keys[start + i] for i in torch.nonzero(shift > _ANOTHER).flatten().tolist()]
    if found:
        more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        told = f"outputs of {len(found)} photos differ from them in lightness by more than {_ANOTHER:.0f} of 100"
        warnings.warn(
            f"{told}, as if of another photo or framed otherwise: {', '.join(found[:_NAMED])}{more}", stacklevel=2
        )
