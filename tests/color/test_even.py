"""Chroma is evened out where lightness is even, and only there."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from zoo.color import even
from zoo.color.even import evened

SIDE = 64
SKY, BLOTCH = -0.2, 0.2


def blotched() -> Tensor:
    """ab (1, 2, S, S) of a sky with a blotch of 8×8 pixels."""
    ab = torch.full((1, 2, SIDE, SIDE), SKY)
    ab[..., 16:24, 28:36] = BLOTCH
    return ab


def framed(step: float) -> Tensor:
    """L (1, 1, S, S) of one tone, but for the place of the blotch, which is lighter by ``step``."""
    L = torch.zeros(1, 1, SIDE, SIDE)
    L[..., 16:24, 28:36] = step
    return L


def in_blotch(ab: Tensor) -> float:
    return float(ab[0, 0, 18:22, 30:34].mean())


def test_a_blotch_on_even_ground_goes_into_what_lies_around_it() -> None:
    found = evened(blotched(), framed(0.0))
    assert in_blotch(found) < SKY + 0.25 * (BLOTCH - SKY)
    assert found.mean() == pytest.approx(float(blotched().mean()), abs=1e-3)  # nothing is lost: it is spread


def test_what_has_an_outline_keeps_its_color() -> None:
    ab = blotched()
    assert torch.allclose(evened(ab, framed(0.3)), ab, atol=0.02)


def test_the_stronger_an_outline_is_the_more_color_stays_in_it() -> None:
    kept = [in_blotch(evened(blotched(), framed(step))) for step in (0.0, 0.02, 0.03, 0.05, 0.1)]
    assert kept == sorted(kept)
    assert kept[-1] - kept[0] > 0.5 * (BLOTCH - SKY)


@pytest.mark.parametrize("axis", [2, 3])
@pytest.mark.parametrize("line", range(30, 34))
def test_an_edge_keeps_colors_apart_wherever_it_lies_in_a_cell(axis: int, line: int) -> None:
    """Of a picture one half is red, the other green; the edge is one pixel's step. No matter which way it runs."""
    first = (torch.arange(SIDE) < line).float()
    half = (first[:, None] if axis == 2 else first[None]).expand(1, 1, SIDE, SIDE)
    ab = (0.4 * half - 0.2).expand(1, 2, SIDE, SIDE)
    with_edge, without = ((evened(ab, L) - ab).abs().mean() for L in (0.4 * half - 0.2, torch.zeros_like(half)))
    assert with_edge < 0.3 * without


def test_a_slope_is_no_edge() -> None:
    L = torch.linspace(-0.3, 0.3, SIDE).expand(
        1, 1, SIDE, SIDE
    )  # as a sky's: less than a hundredth from pixel to pixel
    assert in_blotch(evened(blotched(), L)) < SKY + 0.4 * (BLOTCH - SKY)


def test_differences_finer_than_a_cell_stay() -> None:
    fine = torch.tensor([0.1, -0.1]).repeat(SIDE // 2).expand(1, 2, SIDE, SIDE)
    assert torch.allclose(evened(fine, framed(0.0)), fine, atol=1e-6)


def test_it_is_the_solution_of_the_equations_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weighted least squares solved at once (numpy), for cells of which each is one number."""
    rows, columns = 5, 6
    generator = torch.Generator().manual_seed(0)
    L = (torch.rand(1, 1, rows, columns, generator=generator) * 0.1).repeat_interleave(4, 2).repeat_interleave(4, 3)
    ab = torch.randn(1, 2, rows, columns, generator=generator) * 0.1
    cells = L[0, 0, ::4, ::4].double().numpy()
    matrix = np.eye(rows * columns)
    for i, j in np.ndindex(rows, columns):
        for k, n in ((i + 1, j), (i, j + 1)):
            if k < rows and n < columns:
                one, two = i * columns + j, k * columns + n
                tie = 10 * np.exp(-(((cells[i, j] - cells[k, n]) / 0.02) ** 2))
                matrix[[one, two], [one, two]] += tie
                matrix[[one, two], [two, one]] -= tie
    expected = np.linalg.solve(matrix, ab[0].double().numpy().reshape(2, -1).T).T.reshape(2, rows, columns)
    monkeypatch.setattr(even, "upsample_chroma", lambda x, _: x.repeat_interleave(4, 2).repeat_interleave(4, 3))
    found = evened(ab.repeat_interleave(4, 2).repeat_interleave(4, 3), L)[0, :, ::4, ::4]
    assert np.abs(found.numpy() - expected).max() < 1e-4


@pytest.mark.parametrize("axis", [2, 3])
def test_mirrored_it_is_the_mirror_image(axis: int) -> None:
    generator = torch.Generator().manual_seed(0)
    ab = torch.randn(1, 2, SIDE, SIDE, generator=generator) * 0.1
    L = torch.randn(1, 1, SIDE, SIDE, generator=generator) * 0.01
    assert torch.allclose(evened(ab.flip(axis), L.flip(axis)).flip(axis), evened(ab, L), atol=1e-5)


@pytest.mark.parametrize("size", [(4, 64), (64, 7), (1, 1)])
def test_a_thread_of_a_picture_comes_back_as_it_is(size: tuple[int, int]) -> None:
    ab = torch.randn(1, 2, *size, generator=torch.Generator().manual_seed(0))
    assert torch.equal(evened(ab, torch.zeros(1, 1, *size)), ab)


def test_sides_may_be_no_multiples_of_a_cell() -> None:
    ab = blotched()[..., :61, :63]
    found = evened(ab, torch.zeros(1, 1, 61, 63))
    assert found.shape == ab.shape
    assert in_blotch(found) < SKY + 0.25 * (BLOTCH - SKY)


def test_pictures_of_a_batch_are_apart() -> None:
    two = torch.cat([blotched(), -blotched().flip(3)])
    L = torch.cat([framed(0.0), framed(0.3)])
    alone = torch.cat([evened(ab[None], each[None]) for ab, each in zip(two, L)])
    assert torch.allclose(evened(two, L), alone, atol=1e-5)
