"""Whether two axes of a table work otherwise together than apart."""

from __future__ import annotations

import numpy as np
from scipy.special import fdtrc  # type: ignore[import-untyped]  # scipy.stats takes a second

from zoo.benchmark.analysis.contrasts import NAN, TINY, Additive, Floats, Ints
from zoo.benchmark.analysis.intervals import combined, left_over, sums


def interaction(
    row: Ints, col: Ints, seed: Ints, y: Floats, images: Floats | None = None, people: Ints | None = None
) -> tuple[float, float, float, float]:
    """Test of whether the two axes work otherwise together than apart: an F statistic of the sum of squares of all
    interactions (Brunner, Dette and Munk 1997), over seeds and, where there are values per image, over images.

    Args:
        row, col, seed: (R,), numbered from 0; every pair has a run.
        images, people: as in `intervals.estimate`.

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
    seeds = model.covariance(weights)
    squares = model.runs((weights**2).sum(axis=0))
    covariance, total = seeds, float(np.trace(seeds))
    uncertain = total**2 / model.freedom(squares)
    if images is not None and (complete := np.asarray(np.isfinite(images).all(axis=0))).sum() > 1:
        n = int(complete.sum())
        each = weights @ images[:, complete]
        groups = np.array([sums(line - line.mean(), people, complete) for line in each])  # (K, G)
        if groups.shape[1] > 1:
            spread = groups @ groups.T / n**2 * groups.shape[1] / (groups.shape[1] - 1)
            of_images, shared = float(np.trace(spread)), float(squares @ left_over(model.left, images, people))
            uncertain += float((spread**2).sum()) / (groups.shape[1] - 1)
            covariance, total = seeds + spread, combined(total, of_images, shared)
    if total <= (TINY * np.abs(y).max()) ** 2:
        return NAN, float(len(weights)), float(model.df), NAN
    f = float(((weights @ y) ** 2).sum()) / total
    between, within = float(np.trace(covariance) ** 2 / (covariance**2).sum()), total**2 / uncertain
    return f, between, within, float(fdtrc(between, within, f))


def _centring(n: int) -> Floats:
    return np.eye(n) - 1 / n
