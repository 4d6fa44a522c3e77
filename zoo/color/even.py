"""Chroma evened out where lightness is even. Ranges as in `zoo.color.lab`."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo.color.upsample import upsample_chroma

_CELL = 4  # pixels a side: chroma is evened out at a quarter of L's resolution
_STEP = 0.02  # of L (1 L*), between two pixels, at which hardly anything (e⁻¹) of a tie is left
_TIE = 10.0  # how much two cells on even ground are to agree, in units of how much each is to keep what it had
_ITERATIONS = 60  # of conjugate gradients, after which what is missing is far below a step of 8 bits


def evened(ab: Tensor, L: Tensor) -> Tensor:
    """ab in which blotches that no edge of lightness bounds are spread over what lies around them.

    In cells of 4×4 pixels, the minimum of Σ|u − ab|² + λ Σ w |uᵢ − uⱼ|² over neighbours (weighted least squares,
    Farbman et al. 2008), where w = exp(−(ΔL/σ)²) with the steepest ΔL from pixel to pixel on the way from cell to
    cell. Finer differences of ab stay.

    Args:
        ab: (N, 2, H, W).
        L: (N, 1, H, W); sides of at least 8 pixels, or ab comes back as it is.
    """
    rows, columns = (side // _CELL for side in L.shape[-2:])
    if min(rows, columns) < 2:
        return ab
    cells = F.interpolate(ab, (rows, columns), mode="area")
    fine = F.interpolate(L, (_CELL * rows, _CELL * columns), mode="area")
    down, across = _ties(fine.mT).mT, _ties(fine)
    return ab + upsample_chroma(_solved(cells, down, across) - cells, L)


def _ties(L: Tensor) -> Tensor:
    """(N, 1, 4h, 4w) → (N, 1, h, w − 1): λ·w of each cell and its right neighbour, by the two rows in the middle."""
    steps = L.diff(dim=-1).abs()[..., 1:]  # from the second pixel of the first cell to the third of the next
    steepest = F.max_pool2d(steps, (1, _CELL + 1), stride=(1, _CELL))
    middle = F.avg_pool2d(steepest[..., 1:, :], (2, 1), stride=(_CELL, 1))
    return _TIE * torch.exp(-(middle / _STEP).square())


def _solved(ab: Tensor, down: Tensor, across: Tensor) -> Tensor:
    """u with u + Σ ties·(u − neighbour's u) = ab, by conjugate gradients (Hestenes & Stiefel 1952) from u = ab."""

    def applied(u: Tensor) -> Tensor:
        flow_down, flow_across = down * u.diff(dim=-2), across * u.diff(dim=-1)
        return u + _spread(flow_down.mT).mT + _spread(flow_across)

    u = ab
    residual = ab - applied(u)
    direction, size = residual, _square(residual)
    for _ in range(_ITERATIONS):
        turned = applied(direction)
        length = size / (direction * turned).sum(dim=(-2, -1), keepdim=True).clamp_min(1e-30)
        u, residual = u + length * direction, residual - length * turned
        before, size = size, _square(residual)
        direction = residual + size / before.clamp_min(1e-30) * direction
    return u


def _spread(flow: Tensor) -> Tensor:
    """(N, C, h, w − 1) → (N, C, h, w): what flows out of each cell to its right, less what flows in from its left."""
    return F.pad(flow, (1, 0)) - F.pad(flow, (0, 1))


def _square(x: Tensor) -> Tensor:
    return x.square().sum(dim=(-2, -1), keepdim=True)
