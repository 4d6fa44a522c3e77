import numpy as np
import pytest
import torch

from zoo.color.srgb import from_linear, luminance, to_linear


def test_the_curve_has_the_values_of_the_standard() -> None:
    srgb = np.array([0, 0.04045, 0.5, 1])
    np.testing.assert_allclose(to_linear(srgb), [0, 0.0031308, 0.2140411, 1], atol=1e-6)


def test_both_ways_of_the_curve_undo_each_other() -> None:
    srgb = np.linspace(0, 1, 1001)
    np.testing.assert_allclose(from_linear(to_linear(srgb)), srgb, atol=1e-6)


@pytest.mark.parametrize("curve", [to_linear, from_linear])
def test_arrays_and_tensors_have_the_same_curve(curve) -> None:  # type: ignore[no-untyped-def]
    x = np.linspace(0, 1, 257)
    np.testing.assert_allclose(curve(torch.from_numpy(x)).numpy(), curve(x), rtol=1e-14)


def test_white_has_a_luminance_of_1() -> None:
    assert luminance(np.ones((1, 3))) == pytest.approx(1)
