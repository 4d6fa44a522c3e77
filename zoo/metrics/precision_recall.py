"""Improved precision and recall of sets of images (Kynkäänniemi et al. 2019)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from zoo.errors import ZooError
from zoo.metrics import Score
from zoo.metrics._encoder_space import AUTO
from zoo.metrics._spaces import SpaceMetric
from zoo.registry import metrics


@metrics.register("precision_recall")
class PrecisionRecall(SpaceMetric):
    """How plausible and how varied colourings are, told apart; its scores are ``precision_st_lpips`` and
    ``recall_st_lpips``, ….

    * precision: the share of colourings that lie among the truths: within the distance of some truth's k-th neighbour.
    * recall: the share of truths that lie so among the colourings.

    A colouring shares L with its own truth and is always near it, so that pair is left out of both: two sets drawn
    alike score as two independent ones would. Features are kept, 4·D bytes an image, and compared in blocks. Both
    depend on the number of images: never compare across numbers. For spaces and options see `SpaceMetric`.

    Args:
        k: which neighbour.
    """

    def __init__(
        self,
        space: str = "st_lpips",
        weights: str | None = None,
        face_box: Sequence[float] | str | None = AUTO,
        k: int = 3,
    ) -> None:
        super().__init__(space, weights, face_box)
        if k < 1:
            raise ZooError(f"k={k}: expected at least 1")
        self.k = k
        self._pred: list[Tensor] = []
        self._truth: list[Tensor] = []

    def names(self) -> dict[str, bool | None]:
        return {f"precision_{self.space}": True, f"recall_{self.space}": True}

    def update_features(self, pred: Tensor, truth: Tensor) -> None:
        self._pred.append(pred.float().cpu())
        self._truth.append(truth.float().cpu())

    def compute(self) -> list[Score]:
        n = sum(map(len, self._pred))
        if n < self.k + 2:
            return self.missing(f"needs at least {self.k + 2} images, got {n}")
        pred, truth = torch.cat(self._pred), torch.cat(self._truth)
        shares = coverage(pred, truth, self.k), coverage(truth, pred, self.k)
        return [Score(name, share, True) for name, share in zip(self.names(), shares, strict=True)]


def coverage(points: Tensor, centers: Tensor, k: int, *, rows: int = 500) -> float:
    """The share of points (N, D) within a center's (N, D) distance to its k-th nearest other center, for any center but
    that of the point's own index; ``rows`` at a time."""
    radii = torch.cat(
        [_distances(centers, centers, i, rows).kthvalue(k, dim=1).values for i in range(0, len(centers), rows)]
    )
    inside = [(_distances(points, centers, i, rows) <= radii).any(dim=1) for i in range(0, len(points), rows)]
    return torch.cat(inside).double().mean().item()


def _distances(x: Tensor, y: Tensor, start: int, rows: int) -> Tensor:
    """Of ``rows`` of x from ``start`` to all of y; infinite between those of one index."""
    exact = "donot_use_mm_for_euclid_dist"  # the fast way is off where distances are small beside lengths
    distances = torch.cdist(x[start : start + rows], y, compute_mode=exact)
    distances.diagonal(start).fill_(torch.inf)
    return distances
