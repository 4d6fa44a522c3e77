"""The colours of another photo: real, and in the wrong place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from support.outputs import painted
from zoo.cache.images import ImageCache, View, open_images
from zoo.color.lab import uint8_to_lab
from zoo.errors import ZooError
from zoo.features import Features
from zoo.methods import Photos
from zoo.methods.other import OtherMethod

SIDE = 16


def opened(n: int, folder: Path) -> tuple[OtherMethod, ImageCache]:
    dataset = painted(n)
    images = open_images(dataset, "test", View(SIDE), folder, drop_grey=False)
    method = OtherMethod()
    method.open(dataset, lambda view: images, SIDE, "cpu")
    return method, images


def colored(method: OtherMethod, images: ImageCache, indices: np.ndarray) -> torch.Tensor:
    L, ab = uint8_to_lab(torch.from_numpy(images.batch(indices)))
    return method.sample(Photos(indices, L, ab), Features((), None), [])


@pytest.mark.parametrize("n", [2, 3, 8])
def test_each_photo_gives_its_colors_to_one_other_and_keeps_none(n: int, tmp_path: Path) -> None:
    method, images = opened(n, tmp_path)
    found, true = colored(method, images, np.arange(n)), uint8_to_lab(torch.from_numpy(images.batch(np.arange(n))))[1]
    donors = [[j for j in range(n) if torch.equal(found[i], true[j])] for i in range(n)]
    assert all(len(some) == 1 for some in donors)
    assert sorted(some[0] for some in donors) == list(range(n))
    assert all(some != [i] for i, some in enumerate(donors))


def test_whose_colors_they_are_depends_on_no_batch(tmp_path: Path) -> None:
    method, images = opened(5, tmp_path)
    together, alone = colored(method, images, np.arange(5)), colored(method, images, np.array([3]))
    assert torch.equal(together[3:4], alone)


def test_one_photo_alone_has_no_other(tmp_path: Path) -> None:
    with pytest.raises(ZooError, match="needs two photos"):
        opened(1, tmp_path)
