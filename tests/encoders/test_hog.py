"""The handcrafted encoder: scikit-image's histograms, arranged as maps."""

from __future__ import annotations

import numpy as np
import pytest
import skimage
import torch
from torch import Tensor

import zoo
from zoo.errors import ZooError


def astronaut(size: int) -> Tensor:
    grey = skimage.transform.resize(skimage.color.rgb2gray(skimage.data.astronaut()), (size, size), anti_aliasing=True)
    return torch.from_numpy(grey).float()[None, None] * 2 - 1


@pytest.mark.parametrize(("size", "side", "orientations"), [(64, 8, 9), (48, 4, 9), (64, 16, 6)])
def test_blocks_inside_the_image_are_those_of_scikit_image(size: int, side: int, orientations: int) -> None:
    L = astronaut(size)
    (own,), _ = zoo.create_encoder("hog", strides=[side], orientations=orientations)(L)
    theirs = skimage.feature.hog(
        L[0, 0].double().numpy(),
        orientations=orientations,
        pixels_per_cell=(side, side),
        cells_per_block=(2, 2),
        block_norm="L2-Hys",
        feature_vector=False,
    )  # (rows of blocks, columns of blocks, 2, 2, orientations)
    n = size // side - 1
    maps = own[0].reshape(4, orientations, n + 1, n + 1)
    for i, (y, x) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
        ours = maps[i, :, y : y + n, x : x + n].permute(1, 2, 0)
        np.testing.assert_allclose(ours.numpy(), theirs[:, :, y, x], atol=1e-4)


def test_an_edge_is_told_apart_from_one_across_it_but_not_from_its_negative() -> None:
    ramp = torch.linspace(-1, 1, 32).expand(1, 1, 32, 32)
    encoder = zoo.create_encoder("hog")
    across, along, negative = (encoder(L).maps[0] for L in (ramp, ramp.mT, -ramp))
    torch.testing.assert_close(across, negative)
    assert (across * along).sum() == 0


def test_brightness_and_contrast_change_nothing() -> None:
    L, encoder = astronaut(32), zoo.create_encoder("hog")
    for m, n in zip(encoder(L).maps, encoder(0.5 * L + 0.2).maps, strict=True):
        torch.testing.assert_close(m, n, atol=1e-3, rtol=0)


@pytest.mark.parametrize("size", [(2, 2), (2, 5), (31, 50)])
def test_any_size_of_image_will_do(size: tuple[int, int]) -> None:
    maps, _ = zoo.create_encoder("hog")(torch.rand(2, 1, *size))
    for m, stride in zip(maps, (4, 8, 16), strict=True):
        assert m.shape == (2, 36, -(-size[0] // stride), -(-size[1] // stride))
        assert m.isfinite().all()


def test_a_flat_image_has_no_features() -> None:
    assert not any(m.any() for m in zoo.create_encoder("hog")(torch.full((1, 1, 16, 16), 0.3)).maps)


@pytest.mark.parametrize("options", [{"strides": []}, {"strides": [0, 4]}, {"orientations": 0}])
def test_impossible_options_are_refused(options: dict) -> None:
    with pytest.raises(ZooError, match="must be positive"):
        zoo.create_encoder("hog", **options)
