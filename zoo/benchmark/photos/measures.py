"""What is measured of a coloured photo, and what is said of many: means over photos, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from zoo.benchmark.photos.regions import Regions
from zoo.color.lab import AB_SCALE, uint8_to_lab
from zoo.metrics.colorfulness import colorfulness

_RESAMPLES = 2000
_GREY = 0.5  # Lab units of chroma
_ROUNDING = 0.05  # Lab units, of a mean distance: greys of 8 bits are not quite grey
Columns = Mapping[str, np.ndarray]  # of each measure its values, one a photo; NaN: the photo has no such place


class Interval(NamedTuple):
    """A mean over photos, its 95 % interval, and of how many photos it is; NaN where there is none."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Line:
    """One number that is told of a system: ``of`` means of measures, over the photos that have the first of them.

    Attributes:
        turns: it is an angle in degrees.
    """

    title: str
    measures: tuple[str, ...]
    of: Callable[..., np.ndarray] = lambda mean: mean
    turns: bool = False


def hue(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """In degrees; NaN of what is as good as grey, which has none."""
    return np.where(np.hypot(a, b) < _GREY, np.nan, np.degrees(np.arctan2(b, a)))


LINES = (
    Line("ab distance, whole", ("distance",)),
    Line("ab distance, faces", ("distance_faces",)),
    Line("ab distance, skin outside faces", ("distance_skin",)),
    Line("ab distance, elsewhere", ("distance_elsewhere",)),
    Line("colourfulness", ("colorfulness",)),
    Line("colourfulness − truth's", ("colorfulness_diff",)),
    Line("|colourfulness − truth's|", ("colorfulness_abs_diff",)),
    Line("colourfulness, % of truth's", ("colorfulness", "colorfulness_truth"), lambda x, truth: 100 * x / truth),
    Line("cast: mean a* − truth's", ("cast_a",)),
    Line("cast: mean b* − truth's", ("cast_b",)),
    Line("neutral things: chroma of mean", ("neutral_a", "neutral_b"), np.hypot),
    Line("neutral things: hue, °", ("neutral_a", "neutral_b"), hue, turns=True),
    Line("photos farther than grey, %", ("farther_than_grey",), lambda share: 100 * share),
)


def ab_of(rgb: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 sRGB → (H, W, 2) a*, b* in Lab units."""
    return uint8_to_lab(torch.from_numpy(rgb)[None])[1][0].permute(1, 2, 0).numpy() * AB_SCALE


def measure(rgb: np.ndarray, truth: np.ndarray, where: Regions) -> dict[str, float]:
    """How one colouring compares with the truth; both (H, W, 3) uint8 sRGB.

    Distances are means over pixels of √(Δa*² + Δb*²), in Lab units. NaN where the photo has no such place.
    """
    ab, true_ab = ab_of(rgb), ab_of(truth)
    distance = np.linalg.norm(ab - true_ab, axis=2)
    found, real = (_colorfulness(picture) for picture in (rgb, truth))
    cast = (ab - true_ab).mean(axis=(0, 1))
    values = {
        "distance": float(distance.mean()),
        "distance_faces": _mean(distance, where.faces),
        "distance_skin": _mean(distance, where.skin),
        "distance_elsewhere": _mean(distance, where.elsewhere),
        "colorfulness": found,
        "colorfulness_truth": real,
        "colorfulness_diff": found - real,
        "colorfulness_abs_diff": abs(found - real),
        "cast_a": float(cast[0]),
        "cast_b": float(cast[1]),
        "neutral_a": _mean(ab[..., 0], where.neutral),
        "neutral_b": _mean(ab[..., 1], where.neutral),
    }
    of_grey = float(np.linalg.norm(true_ab, axis=2).mean())
    return values | {"farther_than_grey": float(values["distance"] > of_grey + _ROUNDING)}


def told(line: Line, columns: Columns) -> Interval:
    """``line`` of all photos, with the percentile bootstrap's interval (Efron 1979); photos are drawn anew.

    The draws depend on the number of photos alone, so that systems are compared on the same ones.
    """
    values = np.stack([columns[name] for name in line.measures])  # (K, N)
    values = values[:, ~np.isnan(values).any(axis=0)]
    n = values.shape[1]
    value = float(line.of(*values.mean(axis=1))) if n else np.nan
    if np.isnan(value):
        return Interval(np.nan, np.nan, np.nan, n)
    drawn = np.random.default_rng(0).integers(0, n, (_RESAMPLES, n))
    off = line.of(*values[:, drawn].mean(axis=2)) - value
    if line.turns:
        off = (off + 180) % 360 - 180
    low, high = np.nanpercentile(off, [2.5, 97.5])
    return Interval(value, value + float(low), value + float(high), n)


def _colorfulness(rgb: np.ndarray) -> float:
    return float(colorfulness(torch.from_numpy(rgb).permute(2, 0, 1)[None].float() / 255))


def _mean(x: np.ndarray, mask: np.ndarray) -> float:
    return float(x[mask].mean()) if mask.any() else np.nan
