"""What can be said of differences between cells that were run with several seeds and scored on the same images.

y[c, s] is the score of cell c with seed s, for most metrics a mean over images. Seeds are blocks: all cells of one seed
share the initial denoiser, batches and noise. Images are crossed with cells and seeds. A contrast is a weighted sum of
scores, such as one cell less another. Its variance is of two crossed parts (Cameron, Gelbach and Miller 2011):

    V = V(seeds) + V(images) − V(seeds × images)

The last is in both of the others, and three quarters of it are taken off: simulated tables say that this errs least.

Seeds. Three seeds cannot be resampled, so their part is parametric. `Additive` fits y[c, s] = cell c + seed s by least
squares over all cells. Each cell has a variance of its own, as one may be noisier than another: the unbiased estimate
from what is left of all cells (Horn, Horn and Duncan 1975), or half of the one that is never negative (HC2), if that is
more. Holes may unbalance the table. Across methods `paired` takes the differences per seed by themselves.

Images. The variance of the mean of the contrast over images, or over the people on them where it is known who is on
which: photos of one person are drawn together, as the cluster bootstrap would draw them, of whose variance this is the
limit.

Intervals and p are those of Student's t, with the degrees of freedom of Satterthwaite (1946) for the sum. Nothing is
resampled, so p has no floor. A metric without values per image has the seeds' part alone; the images are then taken as
given. One seed has the images' part alone, from which nothing follows for other seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc, stdtr, stdtrit  # type: ignore[import-untyped]  # scipy.stats takes a second

Floats = NDArray[np.float64]
Ints = NDArray[np.integer[Any]]
_TINY = 1e-9  # relative to the scores: below it is rounding
_NAN = float("nan")


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


@dataclass(frozen=True)
class Estimate:
    """A contrast with its 95 % interval and p value; NaN: not known. ``images``: 0 where only seeds were regarded."""

    value: float
    low: float
    high: float
    p: float
    seeds: int
    images: int


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
        weights[np.abs(weights) < _TINY] = 0
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
            return np.full(len(never_negative), _NAN)
        cells = _one_hot(self._cell)
        expected = cells.T @ self.left**2 @ cells  # (C, C): of a cell's residual squares, the share of each variance
        unbiased = np.linalg.pinv(expected, hermitian=True) @ (cells.T @ (self.left @ y) ** 2)
        pooled = float(y @ self.left @ y) / self.df
        alone = np.bincount(self._cell, np.diag(self.left)) < _TINY  # nothing of its own is left: as the others
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
        return Contrast(pairs[0], _NAN, 0, n)
    left, scale = pairs - pairs.mean(axis=0), np.full(n, 1 / np.sqrt(n * (n - 1)))
    return Contrast(pairs.mean(axis=0), float(np.linalg.norm(scale * (left @ y))), n - 1, n, left, scale)


def estimate(
    contrasts: Sequence[Contrast], y: Floats, images: Floats | None = None, people: Ints | None = None
) -> list[Estimate]:
    """Intervals and p values of contrasts, over seeds and images.

    Args:
        y: (R,) scores of the runs.
        images: (R, N), the same per image; NaN: it has none. A contrast takes the images that all its runs have.
        people: (N,), who is on each, numbered from 0; None: somebody else on each.
    """
    scale = _TINY * max(float(np.abs(y).max(initial=0)), 1e-300)
    both: dict[int, Floats] = {}  # by what is left, which contrasts share
    found = []
    for contrast in contrasts:
        value, of_images, freedom, n = float(contrast.weights @ y), 0.0, 0, 0
        if images is not None:
            each = _per_image(contrast, images, scale)
            here = np.asarray(np.isfinite(each))
            groups = _sums(each[here] - each[here].mean() if here.any() else each[here], people, here)
            if len(groups) > 1:
                value, n, freedom = float(each[here].mean()), int(here.sum()), len(groups) - 1
                of_images = float(groups @ groups) / n**2 * len(groups) / freedom
        shared = 0.0
        if n and images is not None and np.isfinite(contrast.scale).any():
            key = id(contrast.left)
            if key not in both:
                both[key] = _left_over(contrast.left, images, people)
            shared = float(contrast.scale**2 @ both[key])
        of_seeds = contrast.se**2 if contrast.se > scale else 0.0  # NaN: not known
        parts = (of_seeds, of_images, shared), (contrast.df, freedom)
        found.append(_by_t(value, *parts, scale, contrast.seeds, n, unknown=bool(np.isnan(contrast.se))))
    return found


def interaction(
    row: Ints, col: Ints, seed: Ints, y: Floats, images: Floats | None = None, people: Ints | None = None
) -> tuple[float, float, float, float]:
    """Test of whether the two axes work otherwise together than apart: an F statistic of the sum of squares of all
    interactions (Brunner, Dette and Munk 1997), over seeds and, where there are values per image, over images.

    Args:
        row, col, seed: (R,), numbered from 0; every pair has a run.
        images, people: as in `estimate`.

    Returns:
        F, its two degrees of freedom, and p; F and p are NaN where they cannot be known.
    """
    rows, cols = int(row.max()) + 1, int(col.max()) + 1
    model = Additive(row * cols + col, seed, y)
    apart = np.kron(_centring(rows), _centring(cols))  # (C, C): the projector on interactions
    basis = np.linalg.eigh(apart)[1][:, -(rows - 1) * (cols - 1) :].T  # (K, C)
    found = [model.weights(w) for w in basis]
    if model.df < 1 or not found or any(weights is None for weights in found):
        return _NAN, float(len(found)), float(model.df), _NAN
    weights = np.array(found)  # (K, R)
    seeds = model.covariance(weights)
    squares = model.runs((weights**2).sum(axis=0))
    covariance, total = seeds, float(np.trace(seeds))
    uncertain = total**2 / model.freedom(squares)
    if images is not None and (complete := np.asarray(np.isfinite(images).all(axis=0))).sum() > 1:
        n = int(complete.sum())
        each = weights @ images[:, complete]
        groups = np.array([_sums(line - line.mean(), people, complete) for line in each])  # (K, G)
        if groups.shape[1] > 1:
            spread = groups @ groups.T / n**2 * groups.shape[1] / (groups.shape[1] - 1)
            of_images, shared = float(np.trace(spread)), float(squares @ _left_over(model.left, images, people))
            uncertain += float((spread**2).sum()) / (groups.shape[1] - 1)
            covariance, total = seeds + spread, _combined(total, of_images, shared)
    if total <= (_TINY * np.abs(y).max()) ** 2:
        return _NAN, float(len(weights)), float(model.df), _NAN
    f = float(((weights @ y) ** 2).sum()) / total
    between, within = float(np.trace(covariance) ** 2 / (covariance**2).sum()), total**2 / uncertain
    return f, between, within, float(fdtrc(between, within, f))


def holm(p: Sequence[float]) -> list[float]:
    """p values adjusted so that the chance of any false claim among them stays below the level (Holm 1979); NaN stays
    NaN and does not count."""
    values = np.asarray(p, dtype=float)
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.argsort(values[known], kind="stable")]
    steps = (len(known) - np.arange(len(known))) * values[order]
    values[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return values.tolist()


def _by_t(
    value: float,
    variances: tuple[float, float, float],
    freedoms: tuple[float, float],
    scale: float,
    seeds: int,
    n: int,
    *,
    unknown: bool,
) -> Estimate:
    """Student's t; nothing is claimed where nothing varies, though the cells differ."""
    of_seeds, of_images, shared = variances
    value = 0.0 if abs(value) <= scale else value
    total = _combined(of_seeds, of_images, shared)
    if total <= scale**2:
        same = (value, value, 1.0) if value == 0 and not unknown else (_NAN, _NAN, _NAN)
        return Estimate(value, *same, seeds, n)
    pieces = [part**2 / df for part, df in zip((of_seeds, of_images), freedoms) if part > 0 and df > 0]
    df, se = total**2 / sum(pieces), float(np.sqrt(total))
    half = float(stdtrit(df, 0.975)) * se
    return Estimate(value, value - half, value + half, float(2 * stdtr(df, -abs(value) / se)), seeds, n)


def _combined(of_seeds: float, of_images: float, shared: float) -> float:
    """The variance of a sum whose parts have ``shared`` in common, of which the most is taken off: all of it, an
    estimate too, would leave too little as often as too much."""
    return max(of_seeds + of_images - 0.75 * shared, 0.9 * of_seeds, of_images / 2)


def _per_image(contrast: Contrast, images: Floats, scale: float) -> Floats:
    """(N,): the contrast on each image; NaN where one of its runs has no value."""
    involved = np.flatnonzero(contrast.weights)
    found = contrast.weights[involved] @ images[involved]
    return np.where(np.abs(found) <= scale, 0.0, found)


def _left_over(left: Floats, images: Floats, people: Ints | None) -> Floats:
    """(K,): the variance of the mean over images of what is left of each run beside its seed and its image."""
    complete = np.asarray(np.isfinite(images).all(axis=0))
    n = int(complete.sum())
    if n < 2:
        return np.zeros(len(left))
    here = images[:, complete]
    rest = left @ (here - here.mean(axis=1, keepdims=True))  # (K, n)
    groups = np.array([_sums(line, people, complete) for line in rest])
    return np.asarray((groups**2).sum(axis=1) / n**2 * groups.shape[1] / max(groups.shape[1] - 1, 1))


def _sums(values: Floats, people: Ints | None, here: NDArray[np.bool_]) -> Floats:
    """Sums of ``values`` over the photos of each person."""
    if people is None:
        return values
    _, codes = np.unique(people[here], return_inverse=True)
    return np.asarray(np.bincount(codes, values), dtype=np.float64)


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


def _centring(n: int) -> Floats:
    return np.eye(n) - 1 / n


def _ratio(above: Floats, below: Floats) -> Floats:
    """1 where there is nothing to divide by."""
    return np.divide(
        above, below, out=np.ones_like(above), where=below > _TINY * max(float(np.abs(below).max(initial=0)), 1e-300)
    )
