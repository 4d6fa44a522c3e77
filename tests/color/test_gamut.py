import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from skimage.color import rgb2lab
from torch import Tensor

from zoo.color.gamut import in_gamut, to_uint8
from zoo.color.lab import rgb_to_lab, uint8_to_lab, uint8_to_lightness

lightness = st.floats(-1, 1, width=32)
chroma = st.floats(-4, 4, width=32)


def color(L: float, a: float, b: float) -> tuple[Tensor, Tensor]:
    return torch.tensor(L).view(1, 1, 1, 1), torch.tensor([a, b]).view(1, 2, 1, 1)


def random_colors(seed: int, spread: float, size: int = 300) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    L = torch.rand(1, 1, size, size, generator=generator) * 2 - 1
    return L, torch.randn(1, 2, size, size, generator=generator) * spread


def l_star(images: Tensor) -> np.ndarray:
    """By scikit-image in double precision: (N, H, W, 3) uint8 → (N, H, W) in 0..100."""
    return rgb2lab(images.numpy().astype(np.float64) / 255)[..., 0]


@given(L=lightness, a=chroma, b=chroma)
@settings(max_examples=100, deadline=None)
@example(L=1.0, a=2.0, b=-2.0)
@example(L=-1.0, a=2.0, b=-2.0)
@example(L=-0.8353, a=-0.9782, b=0.6322)
def test_any_color_comes_out_with_its_lightness(L: float, a: float, b: float) -> None:
    got = l_star(to_uint8(*color(L, a, b))).item()
    assert abs(got - (L + 1) * 50) < 0.26


@pytest.mark.parametrize("spread", [0.002, 0.1, 0.7, 4.0])
def test_lightness_of_colors_is_kept_to_within_half_a_step_of_green(spread: float) -> None:
    L, ab = random_colors(0, spread)
    difference = np.abs(l_star(to_uint8(L, ab)) - (L[:, 0].numpy() + 1) * 50)
    assert difference.max() < 0.23
    assert difference.mean() < 0.08


@given(L=lightness, a=chroma, b=chroma)
@settings(max_examples=100, deadline=None)
def test_only_chroma_is_lowered_never_hue_or_lightness(L: float, a: float, b: float) -> None:
    L_in, ab_in = color(L, a, b)
    ab, rgb = in_gamut(L_in, ab_in)
    scale = (ab * ab_in).sum() / (ab_in * ab_in).sum().clamp_min(1e-12)
    assert 0 <= scale <= 1 + 1e-6
    torch.testing.assert_close(ab, scale * ab_in, atol=1e-5, rtol=0)
    torch.testing.assert_close(rgb_to_lab(rgb)[0], L_in, atol=3e-3, rtol=0)


def test_no_more_chroma_is_lost_than_must_be() -> None:
    L, ab = random_colors(1, 0.7, size=64)
    kept, _ = in_gamut(L, ab)
    lowered = (kept != ab).any(dim=1)
    assert 0.5 < lowered.float().mean() < 1
    more, _ = in_gamut(L, kept * 1.05)
    change = (more.norm(dim=1) / kept.norm(dim=1))[lowered & (kept.norm(dim=1) > 0.05)]
    assert change.max() < 1.005  # a twentieth more does not fit


def test_colors_inside_srgb_are_left_alone() -> None:
    images = torch.randint(0, 256, (1, 200, 200, 3), generator=torch.Generator().manual_seed(2), dtype=torch.uint8)
    images[:, :50] = (images[:, :50] > 127) * 255  # the corners of the cube
    L, ab = uint8_to_lab(images)
    assert torch.equal(in_gamut(L, ab)[0], ab)
    assert torch.equal(to_uint8(L, ab), images)


def test_8_bit_greys_come_back_with_the_same_bytes() -> None:
    greys = torch.arange(256, dtype=torch.uint8).view(1, 1, 256, 1).repeat(1, 1, 1, 3)
    assert torch.equal(to_uint8(uint8_to_lightness(greys), torch.zeros(1, 2, 1, 256)), greys)


def test_neutral_is_grey_at_every_lightness() -> None:
    L = torch.linspace(-1, 1, 50_001).view(1, 1, 1, -1)
    images = to_uint8(L, torch.zeros(1, 2, 1, 50_001))
    assert torch.equal(images, images[..., :1].expand_as(images))
    assert np.abs(l_star(images) - (L[0, 0].numpy() + 1) * 50).max() < 0.26  # half a step of grey


def test_bands_of_rows_give_the_same_bytes_as_the_whole() -> None:
    L, ab = random_colors(3, 0.5, size=40)
    bands = [to_uint8(L[:, :, rows], ab[:, :, rows]) for rows in (slice(0, 7), slice(7, 40))]
    assert torch.equal(torch.cat(bands, dim=1), to_uint8(L, ab))


def test_inputs_are_not_written_to() -> None:
    L, ab = random_colors(4, 2.0, size=16)
    before = L.clone(), ab.clone()
    to_uint8(L, ab)
    assert torch.equal(L, before[0])
    assert torch.equal(ab, before[1])
