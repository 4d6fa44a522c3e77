"""Many claims at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def holm(p: Sequence[float]) -> list[float]:
    """p values adjusted so that the chance of any false claim among them stays below the level (Holm 1979); NaN stays
    NaN and does not count."""
    values = np.asarray(p, dtype=float)
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.argsort(values[known], kind="stable")]
    steps = (len(known) - np.arange(len(known))) * values[order]
    values[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return values.tolist()
