"""Intervals and p values of contrasts of scores of sets (fd, fid, kid, …), over seeds and over samplings.

Such a score has no values per image, but the set may be sampled several times (``eval.seeds``): all runs see the same
noise, so samplings are crossed with cells and seeds, as images are, only few. They are treated as seeds are: cell +
sampling is fitted to the cells' means over seeds, with a variance for each cell. Of

    V = V(seeds) + V(samplings) − V(seeds × samplings)

the last is known by itself here, from each run on each sampling; neither of the others is less. The photos are taken as
given.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.benchmark.analysis.contrasts import TINY, Additive, Contrast, Floats, Ints
from zoo.benchmark.analysis.intervals import Estimate, by_t


class Samplings:
    """What is known of the noise of sampling.

    Args:
        values: (R, K), the score of each run in each sampling; K is at least 2.
        cell: (R,), numbered from 0.
        fitted: (C,), the cells that `Additive` may be fitted to; others may not see the noise alike.
    """

    def __init__(self, values: Floats, cell: Ints, fitted: Sequence[bool]) -> None:
        self.values, self._cell = values, cell
        runs = np.bincount(cell)
        sums = np.zeros((len(runs), values.shape[1]))
        np.add.at(sums, cell, values)
        means = sums / runs[:, None]  # (C, K)
        rest = values - means[cell] - values.mean(axis=1, keepdims=True) + means.mean(axis=1)[cell, None]
        self._freedom = (runs - 1) * (values.shape[1] - 1)  # (C,), of each run on each sampling
        squares = np.bincount(cell, (rest**2).sum(axis=1))
        self._rest = np.divide(squares, self._freedom, out=np.zeros(len(runs)), where=self._freedom > 0)
        self._fitted = np.flatnonzero(fitted)
        self._model: Additive | None = None
        if len(self._fitted):
            n, times = len(self._fitted), values.shape[1]
            places = np.repeat(np.arange(n), times), np.tile(np.arange(times), n)
            self._model = Additive(*places, means[self._fitted].ravel())

    def of_samplings(self, weights: Floats) -> tuple[float, float]:
        """The variance of a contrast with ``weights`` (R,) if other noise were drawn, and its degrees of freedom."""
        of_cells = self._of_cells(weights)
        if self._model is not None and np.delete(np.abs(of_cells), self._fitted).sum() < TINY:
            found = self._model.contrast(of_cells[self._fitted])
            if found is not None:
                return found.se**2, found.df
        n = self.values.shape[1]
        return float((weights @ self.values).var(ddof=1)) / n, n - 1

    def covariance(self, weights: Floats) -> tuple[Floats, float]:
        """(K, K): of several contrasts of fitted cells, by their ``weights`` (K, R); and degrees of freedom of its
        trace."""
        assert self._model is not None
        found = [self._model.weights(self._of_cells(line)[self._fitted]) for line in weights]
        of_means = np.array(found)  # (K, C · samplings)
        return self._model.covariance(of_means), self._model.freedom(self._model.runs((of_means**2).sum(axis=0)))

    def of_both(self, squares: Floats) -> tuple[float, float]:
        """The variance of the part that is of single runs in single samplings, which the seeds' part holds too, and its
        degrees of freedom; by ``squares`` (R,) of weights."""
        parts = self._of_cells(squares) / self.values.shape[1] * self._rest
        uncertain = float((parts[parts > 0] ** 2 / self._freedom[parts > 0]).sum())
        return float(parts.sum()), float(parts.sum()) ** 2 / uncertain if uncertain else np.inf

    def _of_cells(self, weights: Floats) -> Floats:
        """(C,): sums over runs."""
        return np.bincount(self._cell, weights, minlength=len(self._freedom)).astype(np.float64)


def estimate(contrasts: Sequence[Contrast], y: Floats, known: Samplings) -> list[Estimate]:
    """Intervals and p values of contrasts, over seeds and samplings; ``y`` (R,): the means over samplings."""
    scale = TINY * max(float(np.abs(y).max(initial=0)), 1e-300)
    found = []
    for contrast in contrasts:
        of_seeds = contrast.se**2 if contrast.se > scale else 0.0  # NaN: not known
        total, df = together(
            (of_seeds, contrast.df), known.of_samplings(contrast.weights), known.of_both(contrast.weights**2)
        )
        unknown = bool(np.isnan(contrast.se))
        value, n = float(contrast.weights @ y), known.values.shape[1]
        found.append(by_t(value, total, df, scale, contrast.seeds, n, unknown=unknown, unit="samplings"))
    return found


def together(
    seeds: tuple[float, float], samplings: tuple[float, float], both: tuple[float, float]
) -> tuple[float, float]:
    """The variance of a sum and its degrees of freedom, of those of its parts: the first two hold the last, and what
    they are beside it is not negative."""
    alone = [(max(part - both[0], 0.0), part, df) for part, df in (seeds, samplings)]
    total = sum(rest for rest, _, _ in alone) + both[0]
    pieces = [part**2 / df for rest, part, df in alone if rest > 0 and df > 0]
    if len(pieces) < 2:
        pieces.append(both[0] ** 2 / both[1])
    return total, total**2 / sum(pieces) if sum(pieces) else np.inf
