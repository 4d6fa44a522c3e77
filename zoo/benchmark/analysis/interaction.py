"""Whether two axes of a table work otherwise together than apart."""

from __future__ import annotations

import numpy as np
from scipy.special import fdtrc  # type: ignore[import-untyped]  # scipy.stats takes a second

from zoo.benchmark.analysis.contrasts import NAN, TINY, Additive, Floats, Ints
from zoo.benchmark.analysis.intervals import combined, left_over, sums
from zoo.benchmark.analysis.samplings import Samplings, together


def interaction(
    row: Ints,
    col: Ints,
    seed: Ints,
    y: Floats,
    images: Floats | None = None,
    people: Ints | None = None,
    noise: Samplings | None = None,
) -> tuple[float, float, float, float]:
    """Test of whether the two axes work otherwise together than apart: an F statistic of the sum of squares of all
    interactions (Brunner, Dette and Munk 1997), over seeds and, where there are values per image, over images, or over
    samplings.

    Args:
        row, col, seed: (R,), numbered from 0; every pair has a run.
        images, people: as in `intervals.estimate`.
        noise: of cells in the order of rows, then columns, all fitted; then there are no ``images``.

    Returns:
        F, its two degrees of freedom, and p; F and p are NaN where they cannot be known.
    """
    rows, cols = int(row.max()) + 1, int(col.max()) + 1
    model = Additive(row * cols + col, seed, y)
    apart = np.kron(_centring(rows), _centring(cols))  # (C, C): the projector on interactions
    basis = np.linalg.eigh(apart)[1][:, -(rows - 1) * (cols - 1) :].T  # (K, C)
    found = [model.weights(w) for w in basis]
    if model.df < 1 or not found or any(weights is None for weights in found):
        return NAN, float(len(found)), float(model.df), NAN
    weights = np.array(found)  # (K, R)
    covariance, total, within = _variance(model, weights, images, people, noise)
    if total <= (TINY * np.abs(y).max()) ** 2:
        return NAN, float(len(weights)), float(model.df), NAN
    f = float(((weights @ y) ** 2).sum()) / total
    between = float(np.trace(covariance) ** 2 / (covariance**2).sum())
    return f, between, within, float(fdtrc(between, within, f))


def _variance(
    model: Additive, weights: Floats, images: Floats | None, people: Ints | None, noise: Samplings | None
) -> tuple[Floats, float, float]:
    """(K, K) of contrasts by their ``weights`` (K, R); what its trace is estimated to be, and the degrees of freedom of
    that."""
    seeds = model.covariance(weights)
    squares = model.runs((weights**2).sum(axis=0))
    total, freedom = float(np.trace(seeds)), model.freedom(squares)
    if noise is not None:
        spread, of_spread = noise.covariance(weights)
        of_samplings = float(np.trace(spread)), of_spread
        return seeds + spread, *together((total, freedom), of_samplings, noise.of_both((weights**2).sum(axis=0)))
    if images is None or (complete := np.asarray(np.isfinite(images).all(axis=0))).sum() < 2:
        return seeds, total, freedom
    n = int(complete.sum())
    each = weights @ images[:, complete]
    groups = np.array([sums(line - line.mean(), people, complete) for line in each])  # (K, G)
    if groups.shape[1] < 2:
        return seeds, total, freedom
    spread = groups @ groups.T / n**2 * groups.shape[1] / (groups.shape[1] - 1)
    uncertain = total**2 / freedom + float((spread**2).sum()) / (groups.shape[1] - 1)
    shared = float(squares @ left_over(model.left, images, people))
    total = combined(total, float(np.trace(spread)), shared)
    return seeds + spread, total, total**2 / uncertain


def _centring(n: int) -> Floats:
    return np.eye(n) - 1 / n
