import hypothesis.strategies as st
import numpy as np
import torch
from hypothesis import given, settings
from skimage.color import rgb2lab

from zoo.color.lab import lab_to_rgb, rgb_to_lab, uint8_to_lab


def random_rgb(seed: int, size: int = 8) -> torch.Tensor:
    return torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(seed))


def test_lab_agrees_with_scikit_image() -> None:
    rgb = random_rgb(0, 32)
    L, ab = rgb_to_lab(rgb)
    expected = rgb2lab(rgb.permute(0, 2, 3, 1).numpy().astype(np.float64))
    ours = torch.cat([(L + 1) * 50, ab * 110], dim=1).permute(0, 2, 3, 1).numpy()
    np.testing.assert_allclose(ours, expected, atol=2e-2)


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
