"""What can be said of differences between cells that were run with several seeds and scored on the same images.

y[c, s] is the score of cell c with seed s, for most metrics a mean over images. Seeds are blocks: all cells of one seed
share the initial denoiser, batches and noise. Images are crossed with cells and seeds. A contrast is a weighted sum of
scores, such as one cell less another; its error has two parts:

Seeds. Three seeds cannot be resampled, so their part is parametric. `Additive` fits y[c, s] = cell c + seed s by least
squares over all cells; what is left has the variance MSE, and a contrast w over cells has the standard error
sqrt(MSE Σ w²/S). Holes may unbalance the table. Across methods, which need not vary alike, `paired` takes the
differences per seed by themselves, with S − 1 degrees of freedom.

Images. They are resampled with replacement (the bootstrap of Efron 1979), the same for all cells and seeds, so what
makes an image hard for all cancels.

`estimate` adds both: a replicate is the contrast of resampled images plus a draw of t times the standard error. The
interval holds the middle 95 % of the replicates, p is twice the smaller share beyond 0. A metric without values per
image has the seeds' part alone, by Student's t; the images are then taken as given. One seed has the images' part
alone, from which nothing follows for other seeds. Noise of a single run on a single image is in both parts, so where
it prevails the intervals are too wide (they hold the truth in 98 % of simulated tables), never too narrow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc, stdtr, stdtrit  # type: ignore[import-untyped]  # scipy.stats takes a second

Floats = NDArray[np.float64]
Ints = NDArray[np.integer[Any]]
REPLICATES = 10_000
_TINY = 1e-9  # relative to the scores: below it is rounding
_CHUNK = 4_000_000  # resampled images at a time


@dataclass(frozen=True)
class Contrast:
    """Σ weights·score over runs.

    Attributes:
        weights: (R,), of the runs' scores.
        se: standard error of seeds; NaN where it cannot be known, 0 where no seed matters.
        df: its degrees of freedom.
        seeds: their number; where cells have more or fewer, the least.
    """

    weights: Floats
    se: float
    df: float
    seeds: int


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
        mse: the variance of what is left; NaN without degrees of freedom.
        df: degrees of freedom.
    """

    def __init__(self, cell: Ints, seed: Ints, y: Floats) -> None:
        self._cell, self._seed = cell, seed
        design = _within(seed, _one_hot(cell))  # (R, C)
        self._gram, self._inverse = design.T @ design, _inverse(design)  # (C, C)
        rss, self.df = _residual(seed, design, y)
        self.mse = rss / self.df if self.df > 0 else float("nan")

    def contrast(self, w: Floats) -> Contrast | None:
        """Of weights ``w`` (C,) over cells, whose sum is 0; None where no seeds connect the cells."""
        solved = self._inverse @ w
        if not np.allclose(self._gram @ solved, w, atol=1e-8):
            return None
        weights = _within(self._seed, solved[self._cell, None])[:, 0]  # (R,)
        weights[np.abs(weights) < _TINY] = 0
        seeds = min((len(np.unique(self._seed[self._cell == cell])) for cell in np.flatnonzero(w)), default=0)
        return Contrast(weights, float(np.sqrt(self.mse * np.sum(weights**2))), self.df, seeds)


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
    se = float((pairs @ y).std(ddof=1) / np.sqrt(n)) if n > 1 else float("nan")
    return Contrast(pairs.mean(axis=0), se, n - 1, n)


def estimate(
    contrasts: Sequence[Contrast],
    y: Floats,
    images: Floats | None = None,
    *,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> list[Estimate]:
    """Intervals and p values of contrasts, over seeds and images.

    Args:
        y: (R,) scores of the runs.
        images: (R, N), the same per image; NaN: it has none. A contrast takes the images that all its runs have.
    """
    scale = _TINY * max(float(np.abs(y).max(initial=0)), 1e-300)
    differences = [_per_image(contrast, images, scale) for contrast in contrasts]
    resampled = _resample(np.array(differences), replicates, seed) if images is not None and contrasts else None
    draws = np.random.default_rng(seed + 1)
    found = []
    for k, contrast in enumerate(contrasts):
        n = int(np.isfinite(differences[k]).sum())
        if n < 2 or resampled is None:
            found.append(_by_seeds(contrast, float(contrast.weights @ y), scale))
            continue
        value = float(np.nanmean(differences[k]))
        found.append(_by_both(contrast, value, resampled[:, k], n, scale, draws))
    return found


def interaction(encoder: Ints, cond: Ints, seed: Ints, y: Floats) -> tuple[float, float, float, float]:
    """F test of whether encoders and conditionings work otherwise together than apart, over seeds; the images are taken
    as given.

    Returns:
        F, its two degrees of freedom, and p; F and p are NaN where they cannot be known.
    """
    _, cell = np.unique(np.stack([encoder, cond]), axis=1, return_inverse=True)
    full, df = _residual(seed, _within(seed, _one_hot(cell.ravel())), y)
    apart, df_apart = _residual(seed, _within(seed, np.hstack([_one_hot(encoder), _one_hot(cond)])), y)
    between = df_apart - df
    if df < 1 or between < 1 or full / df <= (_TINY * np.abs(y).max()) ** 2:
        return float("nan"), between, df, float("nan")
    f = max(apart - full, 0.0) / between / (full / df)
    return f, between, df, float(fdtrc(between, df, f))


def holm(p: Sequence[float]) -> list[float]:
    """p values adjusted so that the chance of any false claim among them stays below the level (Holm 1979); NaN stays
    NaN and does not count."""
    values = np.asarray(p, dtype=float)
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.argsort(values[known], kind="stable")]
    steps = (len(known) - np.arange(len(known))) * values[order]
    values[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return values.tolist()


def _by_seeds(contrast: Contrast, value: float, scale: float) -> Estimate:
    """Student's t; nothing is claimed where seeds do not vary at all, though the cells differ."""
    value, se = (0.0 if abs(value) <= scale else value), (0.0 if contrast.se <= scale else contrast.se)
    nan = float("nan")
    if se == 0:
        same = (value, value, 1.0) if value == 0 else (nan, nan, nan)
        return Estimate(value, *same, contrast.seeds, 0)
    half = float(stdtrit(contrast.df, 0.975)) * se if contrast.df > 0 else nan
    p = float(2 * stdtr(contrast.df, -abs(value) / se)) if contrast.df > 0 else nan
    return Estimate(value, value - half, value + half, p, contrast.seeds, 0)


def _by_both(
    contrast: Contrast, value: float, resampled: Floats, n: int, scale: float, draws: np.random.Generator
) -> Estimate:
    replicates = resampled.copy()
    if contrast.df > 0 and scale < contrast.se < float("inf"):
        replicates += contrast.se * draws.standard_t(contrast.df, len(replicates))
    low, high = np.percentile(replicates, [2.5, 97.5])
    beyond = min((replicates <= 0).sum(), (replicates >= 0).sum())
    p = min(1.0, 2 * (beyond + 1) / (len(replicates) + 1))
    return Estimate(value, float(low), float(high), float(p), contrast.seeds, n)


def _per_image(contrast: Contrast, images: Floats | None, scale: float) -> Floats:
    """(N,): the contrast on each image; NaN where one of its runs has no value."""
    if images is None:
        return np.empty(0)
    involved = np.flatnonzero(contrast.weights)
    found = contrast.weights[involved] @ images[involved]
    return np.where(np.abs(found) <= scale, 0.0, found)


def _resample(differences: Floats, replicates: int, seed: int) -> Floats:
    """Means (B, K) of ``differences`` (K, N) over images drawn with replacement, the same draws for all."""
    present = np.isfinite(differences)
    filled, counted = np.where(present, differences, 0.0).T, present.astype(float).T  # (N, K)
    n = differences.shape[1]
    step = max(1, _CHUNK // n)
    parts = []
    for start in range(0, replicates, step):
        counts = _counts(n, min(step, replicates - start), (seed, start)).astype(float)
        parts.append((counts @ filled) / (n if present.all() else np.maximum(counts @ counted, 1)))
    return np.concatenate(parts)


@lru_cache(maxsize=32)
def _counts(n: int, rows: int, seed: tuple[int, int]) -> NDArray[np.uint16]:
    """(rows, n): how often each of ``n`` images is drawn. Remembered, as many tables are of the same images."""
    drawn = np.random.default_rng(seed).integers(n, size=(rows, n)) + n * np.arange(rows)[:, None]
    return np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n).astype(np.uint16)


def _residual(seed: Ints, design: Floats, y: Floats) -> tuple[float, int]:
    """Residual sum of squares, and its degrees of freedom, of a design (R, P) from which seeds were swept."""
    centred = _within(seed, y[:, None])[:, 0]
    inverse = _inverse(design)
    rank = round(float(np.trace(inverse @ (design.T @ design))))
    left = centred - design @ (inverse @ (design.T @ centred))
    return float(left @ left), len(y) - len(np.unique(seed)) - rank


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
