"""Contrasts of cells that were run with several seeds: how much they would differ with other seeds.

y[c, s] is the score of cell c with seed s, for most metrics a mean over images. Seeds are blocks: all cells of one seed
share the initial denoiser, batches and noise. A contrast is a weighted sum of scores, such as one cell less another.

Three seeds cannot be resampled, so their part is parametric. `Additive` fits y[c, s] = cell c + seed s by least squares
over all cells. Each cell has a variance of its own, as one may be noisier than another: the unbiased estimate from what
is left of all cells (Horn, Horn and Duncan 1975), or half of the one that is never negative (HC2), if that is more.
Holes may unbalance the table. Across methods `paired` takes the differences per seed by themselves.

What images add: see `zoo.benchmark.analysis.intervals`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.integer[Any]]
TINY = 1e-9  # relative to the scores: below it is rounding
NAN = float("nan")


@dataclass(frozen=True)
class Contrast:
    """Σ weights·score over runs.

    Attributes:
        weights: (R,), of the runs' scores.
        se: standard error of seeds; NaN where it cannot be known, 0 where no seed matters.
        df: its degrees of freedom.
        seeds: their number; where cells have more or fewer, the least.
        left: (K, R), what is left of scores after cells and seeds; shared by contrasts of one fit.
        scale: (K,), such that Σ (scale · left @ y)² is about se².
    """

    weights: Floats
    se: float
    df: float
    seeds: int
    left: Floats = field(default_factory=lambda: np.empty((0, 0)))
    scale: Floats = field(default_factory=lambda: np.empty(0))


class Additive:
    """The model cell + seed, fitted to scores ``y`` (R,) of runs by least squares.

    Args:
        cell, seed: (R,), numbered from 0.

    Attributes:
        variances: (C,), of what is left in each cell; NaN without degrees of freedom.
        df: degrees of freedom of all cells together.
    """

    def __init__(self, cell: Ints, seed: Ints, y: Floats) -> None:
        self._cell, self._seed = cell, seed
        design = _within(seed, _one_hot(cell))  # (R, C)
        self._gram, self._inverse = design.T @ design, _inverse(design)  # (C, C)
        self.left = _within(seed, np.eye(len(y))) - design @ self._inverse @ design.T  # (R, R)
        self.df = round(float(np.trace(self.left)))
        free = np.diag(self.left)  # 1 − leverage
        left_over = np.bincount(cell, (self.left @ y) ** 2).astype(np.float64)
        never_negative = _ratio(left_over, np.bincount(cell, free).astype(np.float64))
        self.variances = self._variances(y, never_negative)
        self._scale = np.sqrt(_ratio(self.variances, never_negative)[cell] * _ratio(np.ones(len(y)), free))
        self._spread = self.left * self.variances[cell] @ self.left.T  # (R, R): covariance of what is left

    def contrast(self, w: Floats) -> Contrast | None:
        """Of weights ``w`` (C,) over cells, whose sum is 0; None where no seeds connect the cells."""
        weights = self.weights(w)
        if weights is None:
            return None
        seeds = min((len(np.unique(self._seed[self._cell == cell])) for cell in np.flatnonzero(w)), default=0)
        variance = float(weights**2 @ self.variances[self._cell])
        scale = weights * self._scale
        return Contrast(weights, float(np.sqrt(variance)), self.freedom(scale**2), seeds, self.left, scale)

    def weights(self, w: Floats) -> Floats | None:
        """(R,): those of the runs, of weights over cells."""
        solved = self._inverse @ w
        if not np.allclose(self._gram @ solved, w, atol=1e-8):
            return None
        weights = _within(self._seed, solved[self._cell, None])[:, 0]
        weights[np.abs(weights) < TINY] = 0
        return weights

    def freedom(self, squares: Floats) -> float:
        """Degrees of freedom of Σ squares·(left @ y)² by Satterthwaite."""
        mean = float(squares @ np.diag(self._spread))
        return mean**2 / float(squares @ self._spread**2 @ squares) if mean > 0 else float(self.df)

    def runs(self, squares: Floats) -> Floats:
        """``squares`` (R,) of weights of runs, as those of what is left of them."""
        return squares * self._scale**2

    def covariance(self, weights: Floats) -> Floats:
        """(K, K): of several contrasts over seeds, by their ``weights`` (K, R)."""
        return weights * self.variances[self._cell] @ weights.T

    def _variances(self, y: Floats, never_negative: Floats) -> Floats:
        if self.df < 1:
            return np.full(len(never_negative), NAN)
        cells = _one_hot(self._cell)
        expected = cells.T @ self.left**2 @ cells  # (C, C): of a cell's residual squares, the share of each variance
        unbiased = np.linalg.pinv(expected, hermitian=True) @ (cells.T @ (self.left @ y) ** 2)
        pooled = float(((self.left @ y) ** 2).sum()) / self.df  # y @ left @ y, and never negative by rounding
        alone = np.bincount(self._cell, np.diag(self.left)) < TINY  # nothing of its own is left: as the others
        return np.where(alone, pooled, np.maximum(unbiased, never_negative / 2))


def paired(one: Ints, other: Ints, y: Floats, *, fixed: tuple[bool, bool] = (False, False)) -> Contrast | None:
    """The first cell less the second, seed by seed; None where they have no seed in common.

    Args:
        one, other: (R,), the seed of each run, numbered from 0; −1 for runs of other cells. Both have runs.
        fixed: whether a cell does not depend on the seed; it is paired with every seed of the other.
    """
    free = [{*runs[runs >= 0].tolist()} for runs, is_fixed in zip((one, other), fixed) if not is_fixed]
    seeds = sorted(set.intersection(*free)) if free else [0]
    if not seeds:
        return None
    pairs = np.array([_mean_of(one, seed, fixed[0]) - _mean_of(other, seed, fixed[1]) for seed in seeds])  # (S, R)
    n = len(seeds)
    if not free:
        return Contrast(pairs[0], 0.0, float("inf"), n)
    if n == 1:
        return Contrast(pairs[0], NAN, 0, n)
    left, scale = pairs - pairs.mean(axis=0), np.full(n, 1 / np.sqrt(n * (n - 1)))
    return Contrast(pairs.mean(axis=0), float(np.linalg.norm(scale * (left @ y))), n - 1, n, left, scale)


def _inverse(design: Floats) -> Floats:
    """(P, P): the pseudo-inverse of design' design, which is as good as the design's own where all entries are shares
    of counts, and sooner found."""
    return np.asarray(np.linalg.pinv(design.T @ design, rcond=1e-10, hermitian=True), dtype=np.float64)


def _within(seed: Ints, x: Floats) -> Floats:
    """``x`` (R, P) less its mean over the runs of the same seed."""
    sums = np.zeros((int(seed.max(initial=-1)) + 1, x.shape[1]))
    np.add.at(sums, seed, x)
    return x - (sums / np.maximum(np.bincount(seed, minlength=len(sums)), 1)[:, None])[seed]


def _mean_of(runs: Ints, seed: int, is_fixed: bool) -> Floats:
    """Weights (R,) whose sum is 1, on the runs of one cell and seed."""
    chosen = (runs >= 0) if is_fixed else (runs == seed)
    return chosen / chosen.sum()


def _one_hot(codes: Ints) -> Floats:
    return np.eye(int(codes.max(initial=-1)) + 1)[codes]


def _ratio(above: Floats, below: Floats) -> Floats:
    """1 where there is nothing to divide by."""
    return np.divide(
        above, below, out=np.ones_like(above), where=below > TINY * max(float(np.abs(below).max(initial=0)), 1e-300)
    )
