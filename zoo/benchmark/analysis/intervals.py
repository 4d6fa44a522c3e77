"""Intervals and p values of contrasts, over seeds and over the images that all runs were scored on.

Images are crossed with cells and seeds. The variance of a contrast is of two crossed parts (Cameron, Gelbach and Miller
2011):

    V = V(seeds) + V(images) − V(seeds × images)

The last is in both of the others, and three quarters of it are taken off: simulated tables say that this errs least.

Seeds: see `zoo.benchmark.analysis.contrasts`. Images: the variance of the mean of the contrast over images, or over the
people on them where it is known who is on which: photos of one person are drawn together, as the cluster bootstrap
would draw them, of whose variance this is the limit.

Intervals and p are those of Student's t, with the degrees of freedom of Satterthwaite (1946) for the sum. Nothing is
resampled, so p has no floor. A metric without values per image has the seeds' part alone; the images are then taken as
given. One seed has the images' part alone, from which nothing follows for other seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit  # type: ignore[import-untyped]  # scipy.stats takes a second

from zoo.benchmark.analysis.contrasts import NAN, TINY, Contrast, Floats, Ints


@dataclass(frozen=True)
class Estimate:
    """A contrast with its 95 % interval and p value; NaN: not known. ``images``: how many, 0 where only seeds were
    regarded; ``unit``: what these are, if they are no images."""

    value: float
    low: float
    high: float
    p: float
    seeds: int
    images: int
    unit: str = "images"


def estimate(
    contrasts: Sequence[Contrast], y: Floats, images: Floats | None = None, people: Ints | None = None
) -> list[Estimate]:
    """Intervals and p values of contrasts, over seeds and images.

    Args:
        y: (R,) scores of the runs.
        images: (R, N), the same per image; NaN: it has none. A contrast takes the images that all its runs have.
        people: (N,), who is on each, numbered from 0; None: somebody else on each.
    """
    scale = TINY * max(float(np.abs(y).max(initial=0)), 1e-300)
    both: dict[int, Floats] = {}  # by what is left, which contrasts share
    found = []
    for contrast in contrasts:
        value, of_images, freedom, n = float(contrast.weights @ y), 0.0, 0, 0
        if images is not None:
            each = _per_image(contrast, images, scale)
            here = np.asarray(np.isfinite(each))
            groups = sums(each[here] - each[here].mean() if here.any() else each[here], people, here)
            if len(groups) > 1:
                value, n, freedom = float(each[here].mean()), int(here.sum()), len(groups) - 1
                of_images = float(groups @ groups) / n**2 * len(groups) / freedom
        shared = 0.0
        if n and images is not None and np.isfinite(contrast.scale).any():
            key = id(contrast.left)
            if key not in both:
                both[key] = left_over(contrast.left, images, people)
            shared = float(contrast.scale**2 @ both[key])
        of_seeds = contrast.se**2 if contrast.se > scale else 0.0  # NaN: not known
        total = combined(of_seeds, of_images, shared)
        parts = (of_seeds, contrast.df), (of_images, freedom)
        uncertain = sum(part**2 / df for part, df in parts if part > 0 and df > 0)
        df = total**2 / uncertain if uncertain else np.inf
        found.append(by_t(value, total, df, scale, contrast.seeds, n, unknown=bool(np.isnan(contrast.se))))
    return found


def by_t(
    value: float, variance: float, df: float, scale: float, seeds: int, n: int, *, unknown: bool, unit: str = "images"
) -> Estimate:
    """Student's t; nothing is claimed where nothing varies, though the cells differ.

    Args:
        scale: below it is rounding.
        unknown: whether other seeds may differ in a way that is not known.
    """
    value = 0.0 if abs(value) <= scale else value
    if variance <= scale**2:
        same = (value, value, 1.0) if value == 0 and not unknown else (NAN, NAN, NAN)
        return Estimate(value, *same, seeds, n, unit)
    se = float(np.sqrt(variance))
    half = float(stdtrit(df, 0.975)) * se
    return Estimate(value, value - half, value + half, float(2 * stdtr(df, -abs(value) / se)), seeds, n, unit)


def combined(of_seeds: float, of_images: float, shared: float) -> float:
    """The variance of a sum whose parts have ``shared`` in common, of which the most is taken off: all of it, an
    estimate too, would leave too little as often as too much."""
    return max(of_seeds + of_images - 0.75 * shared, 0.9 * of_seeds, of_images / 2)


def left_over(left: Floats, images: Floats, people: Ints | None) -> Floats:
    """(K,): the variance of the mean over images of what is left of each run beside its seed and its image."""
    complete = np.asarray(np.isfinite(images).all(axis=0))
    n = int(complete.sum())
    if n < 2:
        return np.zeros(len(left))
    here = images[:, complete]
    rest = left @ (here - here.mean(axis=1, keepdims=True))  # (K, n)
    groups = np.array([sums(line, people, complete) for line in rest])
    return np.asarray((groups**2).sum(axis=1) / n**2 * groups.shape[1] / max(groups.shape[1] - 1, 1))


def sums(values: Floats, people: Ints | None, here: NDArray[np.bool_]) -> Floats:
    """Sums of ``values`` over the photos of each person."""
    if people is None:
        return values
    _, codes = np.unique(people[here], return_inverse=True)
    return np.asarray(np.bincount(codes, values), dtype=np.float64)


def _per_image(contrast: Contrast, images: Floats, scale: float) -> Floats:
    """(N,): the contrast on each image; NaN where one of its runs has no value."""
    involved = np.flatnonzero(contrast.weights)
    found = contrast.weights[involved] @ images[involved]
    return np.where(np.abs(found) <= scale, 0.0, found)
