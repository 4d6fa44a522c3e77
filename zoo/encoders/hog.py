"""Histograms of oriented gradients (Dalal and Triggs 2005): a floor that learned encoders must beat."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo.encoders import Encoder
from zoo.errors import ZooError
from zoo.features import FeatureLevel, Features, FeatureSpec
from zoo.registry import encoders

EPSILON = 1e-5  # of the norm of a block, as in scikit-image
CLIP = 0.2  # Dalal and Triggs' L2-Hys: normalise, clip, normalise again


@encoders.register("hog")
class HOG(Encoder):
    """One map for each size of cell; no weights and no tokens.

    A cell's histogram of unsigned orientations, weighted by gradient magnitude, is given four times: as normalised in
    each of the four blocks of 2×2 cells that it belongs to. Gradients, bins and L2-Hys are those of
    ``skimage.feature.hog``; blocks that reach over the image's edge, which it leaves out, are completed by empty cells.

    Args:
        strides: sides of the cells in pixels.
        orientations: bins of a histogram, over 180°.
    """

    def __init__(self, *, strides: Sequence[int] = (4, 8, 16), orientations: int = 9) -> None:
        if not strides or min(strides) < 1 or orientations < 1:
            raise ZooError(
                f"encoder hog: strides and orientations must be positive, not strides={list(strides)} "
                f"orientations={orientations}"
            )
        levels = tuple(FeatureLevel(4 * orientations, stride) for stride in sorted(strides))
        super().__init__(FeatureSpec(levels), frozen=True)
        self.orientations = orientations

    @torch.no_grad()
    def forward(self, L: Tensor) -> Features:
        votes = self._votes(L)  # (N, orientations, H, W)
        return Features(tuple(_normalised(_cells(votes, level.stride)) for level in self.spec.levels))

    def _votes(self, L: Tensor) -> Tensor:
        """Each pixel's gradient magnitude, in the channel of its orientation; zero across the image's edge."""
        dx = F.pad(L[..., 2:] - L[..., :-2], (1, 1))
        dy = F.pad(L[..., 2:, :] - L[..., :-2, :], (0, 0, 1, 1))
        turn = (torch.atan2(dy, dx) / torch.pi).remainder(1)  # of 180°
        bins = (turn * self.orientations).long().clamp_max(self.orientations - 1)  # (N, 1, H, W)
        every = torch.arange(self.orientations, device=L.device)[:, None, None]
        return (bins == every) * (dx.square() + dy.square()).sqrt()


def _cells(votes: Tensor, side: int) -> Tensor:
    """Mean votes of each cell, (N, B, ceil(H/side), ceil(W/side)); there is nothing beyond the image."""
    height, width = votes.shape[-2:]
    return F.avg_pool2d(F.pad(votes, (0, -width % side, 0, -height % side)), side)


def _normalised(cells: Tensor) -> Tensor:
    """Histograms (N, B, h, w) → (N, 4·B, h, w): by the block where a cell is top left, top right, bottom left, bottom
    right."""
    height, width = cells.shape[-2:]
    padded = F.pad(cells, (1, 1, 1, 1))
    corners = [(0, 0), (0, 1), (1, 0), (1, 1)]  # row and column of a cell in its block
    blocks = torch.stack([padded[..., y : y + height + 1, x : x + width + 1] for y, x in corners], dim=1)
    blocks = _unit(_unit(blocks).clamp_max(CLIP))  # (N, 4, B, h + 1, w + 1)
    own = [blocks[:, i, :, 1 - y : 1 - y + height, 1 - x : 1 - x + width] for i, (y, x) in enumerate(corners)]
    return torch.cat(own, dim=1)


def _unit(blocks: Tensor) -> Tensor:
    return blocks / (blocks.square().sum(dim=(1, 2), keepdim=True) + EPSILON**2).sqrt()
