import hypothesis.strategies as st
import numpy as np
import torch
from hypothesis import given, settings
from kornia.color import lab_to_rgb as kornias_rgb
from kornia.color import rgb_to_lab as kornias_lab
from skimage.color import rgb2lab

from zoo.color.lab import cie_lab, lab_to_rgb, rgb_to_lab, uint8_to_lab
from zoo.color.srgb import FROM_XYZ, TO_XYZ, WHITE


def random_rgb(seed: int, size: int = 8) -> torch.Tensor:
    return torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(seed))


def test_lab_agrees_with_scikit_image() -> None:
    rgb = random_rgb(0, 32)
    L, ab = rgb_to_lab(rgb)
    expected = rgb2lab(rgb.permute(0, 2, 3, 1).numpy().astype(np.float64))
    ours = torch.cat([(L + 1) * 50, ab * 110], dim=1).permute(0, 2, 3, 1).numpy()
    np.testing.assert_allclose(ours, expected, atol=2e-2)


def test_both_ways_agree_with_kornia() -> None:
    rgb = random_rgb(0, 32)
    torch.testing.assert_close(cie_lab(rgb), kornias_lab(rgb), atol=2e-4, rtol=0)
    L, ab = random_rgb(1, 32)[:, :1] * 2 - 1, random_rgb(2, 32)[:, 1:] * 2 - 1  # most of them outside sRGB
    lab = torch.cat([(L + 1) * 50, ab * 110], dim=1)
    torch.testing.assert_close(lab_to_rgb(L, ab), kornias_rgb(lab), atol=2e-5, rtol=0)


def test_the_matrices_undo_each_other_and_grey_has_the_white_they_say() -> None:
    np.testing.assert_allclose(np.array(FROM_XYZ) @ np.array(TO_XYZ), np.eye(3), atol=2e-6)
    np.testing.assert_allclose(np.array(TO_XYZ).sum(axis=1), WHITE, rtol=1e-12)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_any_srgb_color_survives_the_round_trip(seed: int) -> None:
    rgb = random_rgb(seed)
    torch.testing.assert_close(lab_to_rgb(*rgb_to_lab(rgb)), rgb, atol=2e-4, rtol=0)


def test_black_and_white_are_the_ends_of_the_range_of_l() -> None:
    images = torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1).expand(2, 4, 4, 3)
    L, ab = uint8_to_lab(images)
    torch.testing.assert_close(L.mean(dim=(1, 2, 3)), torch.tensor([-1.0, 1.0]), atol=1e-4, rtol=0)
    assert ab.abs().max() < 1e-3
