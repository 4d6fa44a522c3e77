"""The Fréchet distance of two sets of features, as Gaussians, with statistics gathered batch by batch."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.metrics import FeatureMetric, Score


class GaussianStats:
    """Mean and covariance of feature vectors, in float64 on the CPU, in memory that does not grow with their number.

    Batches are merged by the pairwise update of Chan, Golub & LeVeque (1979), which does not lose small variances
    beside large means.
    """

    def __init__(self) -> None:
        self.n = 0
        self._mean = torch.zeros(0, dtype=torch.float64)
        self._scatter = torch.zeros(0, dtype=torch.float64)  # Σ (x − mean)(x − mean)ᵀ

    def update(self, features: Tensor) -> None:
        """Take in ``features`` (N, D), on any device."""
        x = features.detach().cpu().double()
        n, mean = x.shape[0], x.mean(dim=0)
        if n == 0:
            return
        x = x - mean
        if self.n == 0:
            self.n, self._mean, self._scatter = n, mean, x.T @ x
            return
        delta = mean - self._mean
        total = self.n + n
        self._scatter.addmm_(x.T, x).addr_(delta, delta, alpha=self.n * n / total)  # in place: D² may be large
        self._mean = self._mean + delta * (n / total)
        self.n = total

    @property
    def mean(self) -> Tensor:
        """(D,)."""
        return self._mean

    @property
    def cov(self) -> Tensor:
        """(D, D), divided by n − 1 as ``numpy.cov`` does; needs two vectors."""
        return self._scatter / (self.n - 1)


def frechet_distance(mu1: Tensor, cov1: Tensor, mu2: Tensor, cov2: Tensor) -> float:
    """\\|mu1 − mu2\\|² + tr(cov1 + cov2 − 2·(cov1·cov2)^½), at least 0 (Dowson & Landau 1982).

    The trace of the root is the sum of the roots of the eigenvalues of the symmetric cov1^½·cov2·cov1^½. So nothing
    complex appears, also where the covariances are singular (fewer images than features).

    Args:
        mu1, mu2: (D,).
        cov1, cov2: (D, D), symmetric and positive semi-definite.
    """
    mu1, cov1, mu2, cov2 = (x.detach().cpu().double() for x in (mu1, cov1, mu2, cov2))
    values, vectors = torch.linalg.eigh(cov1)
    kept = values > values.max() * len(values) * torch.finfo(values.dtype).eps  # the others are 0 but for rounding
    half = vectors[:, kept] * values[kept].sqrt()  # half·halfᵀ = cov1
    product = half.T @ cov2 @ half  # has the eigenvalues of cov1^½·cov2·cov1^½ that are not 0
    root = torch.linalg.eigvalsh((product + product.T) / 2).clamp(min=0).sqrt().sum()
    distance = (mu1 - mu2).square().sum() + cov1.trace() + cov2.trace() - 2 * root
    return max(distance.item(), 0.0)


class FrechetMetric(FeatureMetric):
    """Fréchet distance between colourings and truths in one feature space; a subclass's `load` says in which.

    Biased at a small number of images: never compare across numbers.
    """

    name: str

    def __init__(self) -> None:
        self._pred, self._truth = GaussianStats(), GaussianStats()

    def names(self) -> dict[str, bool | None]:
        return {self.name: False}

    def update_features(self, pred: Tensor, truth: Tensor) -> None:
        self._pred.update(pred)
        self._truth.update(truth)

    def compute(self) -> list[Score]:
        if self._pred.n < 2:
            return self.missing(f"needs at least 2 images, got {self._pred.n}")
        value = frechet_distance(self._pred.mean, self._pred.cov, self._truth.mean, self._truth.cov)
        return [Score(self.name, value, False)]
