"""Framing: the algebra of boxes, and what cropping through them sees."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from zoo.faces.framing import WHOLE, Box, crop, resample, uncrop

edges = st.floats(-0.5, 0.5, width=32)
boxes = st.builds(Box, edges, edges, st.floats(0.25, 2, width=32))
few = settings(max_examples=15, deadline=None)


def smooth(n: int = 2, size: int = 48) -> Tensor:
    """Waves long enough that bilinear resampling keeps them, (n, 1, size, size)."""
    axis = (torch.arange(size) + 0.5) / size
    phases = torch.arange(n).view(n, 1, 1, 1)
    return (torch.sin(3 * axis + phases) + torch.cos(2 * axis[:, None])).view(n, 1, size, size)


def ramp(size: int = 40) -> Tensor:
    """x and y of each pixel's centre, in fractions, (1, 2, size, size)."""
    axis = (torch.arange(size) + 0.5) / size
    return torch.stack(torch.meshgrid(axis, axis, indexing="xy"))[None]


@given(boxes)
def test_the_whole_frame_is_the_identity_of_of(box: Box) -> None:
    assert box.of(WHOLE) == pytest.approx(box)
    assert WHOLE.of(box) == pytest.approx(box)


@given(boxes, boxes, boxes)
def test_of_is_associative(a: Box, b: Box, c: Box) -> None:
    assert a.of(b).of(c) == pytest.approx(a.of(b.of(c)), abs=1e-6)


@given(boxes)
def test_the_inverse_undoes_a_box_from_both_sides(box: Box) -> None:
    assert box.of(box.inverse()) == pytest.approx(WHOLE, abs=1e-6)
    assert box.inverse().of(box) == pytest.approx(WHOLE, abs=1e-6)


@given(boxes, boxes)
def test_mirroring_twice_is_nothing_and_goes_through_of(a: Box, b: Box) -> None:
    assert a.flipped().flipped() == pytest.approx(a, abs=1e-6)
    assert a.of(b).flipped() == pytest.approx(a.flipped().of(b.flipped()), abs=1e-6)


@few
@given(boxes, st.sampled_from([16, 33, 48, 112]))
def test_mirroring_the_image_and_the_box_mirrors_what_is_seen(box: Box, size: int) -> None:
    x = smooth()
    torch.testing.assert_close(crop(x.flip(-1), box.flipped(), size), crop(x, box, size).flip(-1), rtol=0, atol=1e-4)


@few
@given(boxes, st.sampled_from([20, 40, 80]))
def test_a_crop_sees_the_place_that_its_box_names(box: Box, size: int) -> None:
    seen = crop(ramp(), box, size)[0]
    x0, y0, side = box
    margin = 0.05 + side / size  # nearer to its edge the repeated edge weighs in
    axis = (torch.arange(size) + 0.5) / size
    for channel, start, along in ((0, x0, seen[0, size // 2]), (1, y0, seen[1, :, size // 2])):
        place = start + side * axis
        inside = (place > margin) & (place < 1 - margin)
        torch.testing.assert_close(along[inside], place[inside], rtol=0, atol=2e-3, msg=f"channel {channel}")


@few
@given(st.tuples(edges, edges), st.tuples(edges, edges), st.floats(0.25, 2, width=32))
def test_each_image_may_have_its_own_box(a: tuple[float, float], b: tuple[float, float], side: float) -> None:
    x = smooth()  # enlarged: where it shrinks, `WHOLE` is antialiased otherwise than other boxes
    apart = torch.cat([crop(x[:1], Box(*a, side), 96), crop(x[1:], Box(*b, side), 96)])
    together = crop(x, torch.tensor([[*a, side], [*b, side]]), 96)
    torch.testing.assert_close(together, apart, rtol=0, atol=1e-4)


def test_outside_the_image_its_edge_is_repeated() -> None:
    x = smooth()
    seen = crop(x, Box(-1, 0, 1), 48)  # the square to the left of the image
    torch.testing.assert_close(seen, x[..., :1].expand_as(x), rtol=0, atol=1e-5)


def test_the_whole_frame_at_the_same_size_changes_nothing() -> None:
    x = torch.rand(1, 3, 20, 20)
    torch.testing.assert_close(crop(x, WHOLE, 20), x)
    assert uncrop((x,), WHOLE)[0] is x


@pytest.mark.parametrize("box", [WHOLE, Box(0.0, 0.0, 0.999)])
def test_shrinking_does_not_alias(box: Box) -> None:
    stripes = torch.tensor([0.0, 1.0]).repeat(64).expand(1, 1, 128, 128)  # the finest there are
    assert crop(stripes, box, 32).std() < 0.05


@few
@given(st.builds(Box, st.floats(-0.3, 0), st.floats(-0.3, 0), st.floats(1.3, 1.6)))
def test_uncrop_brings_maps_back_onto_the_image(box: Box) -> None:
    """The box holds the whole image here, so that nothing is lost."""
    x = smooth()
    (back,) = uncrop((crop(x, box, 48),), box)
    inner = (..., slice(3, -3), slice(3, -3))
    torch.testing.assert_close(back[inner], x[inner], rtol=0, atol=0.02)


def test_uncrop_keeps_each_maps_own_size_and_takes_boxes_of_each_image() -> None:
    maps = (torch.rand(2, 3, 28, 28), torch.rand(2, 5, 7, 7))
    a, b = Box(-0.1, -0.26, 1.19), Box(0.1, 0.2, 0.7)
    back = uncrop(maps, torch.tensor([a, b]))
    assert [m.shape for m in back] == [m.shape for m in maps]
    for i, box in enumerate((a, b)):
        alone = uncrop(tuple(m[i : i + 1] for m in maps), box)
        for m, n in zip(back, alone, strict=True):
            torch.testing.assert_close(m[i : i + 1], n, rtol=0, atol=1e-4)


@pytest.mark.parametrize("box", [WHOLE, Box(0.1, 0.2, 0.6), Box(-0.3, -0.26, 1.4)])
def test_a_view_has_the_geometry_of_framing_crop(box: Box) -> None:
    y, x = np.mgrid[:90, :90]
    smooth = np.stack([x * 2, y * 2, (x + y)], axis=-1).astype(np.uint8)
    as_tensor = torch.from_numpy(smooth).permute(2, 0, 1)[None].float()
    expected = crop(as_tensor, box, 48)[0].permute(1, 2, 0).numpy()
    assert np.abs(resample(smooth, box, 48).astype(float) - expected).max() < 2


def test_shrinking_averages_instead_of_picking_pixels() -> None:
    checks = (np.indices((128, 128)).sum(axis=0) % 2 * 255).astype(np.uint8)[..., None].repeat(3, axis=2)
    assert np.ptp(resample(checks, Box(0.1, 0.1, 0.8), 16)) < 8
