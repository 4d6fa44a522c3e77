"""Which pair is best by one metric, where that is decided.

The pair with the best mean is marked only if its paired difference to each other pair is decided at the level of one
comparison. p is not adjusted for their number, as all of them must hold; that a pair was chosen because its mean is the
best does not raise the level either (Gutmann and Maymin 1987, "Is the selected population the best?").
"""

from __future__ import annotations

from zoo.benchmark.analysis.comparisons import LEVEL, Comparison, Line, estimated
from zoo.benchmark.analysis.contrasts import Contrast
from zoo.benchmark.tables.cells import Cell


def best(comparison: Comparison) -> Cell | None:
    """The pair that is better than every other pair that has a value; None: undecided, there is no other, or neither
    side is better. Baselines are there to compare with and never win."""
    scores, pairs = comparison.scores, comparison.pairs
    if scores.higher_is_better is None or len(pairs) < 2:
        return None
    means = {cell: float(scores.y[scores.runs_of(cell) >= 0].mean()) for cell in pairs}
    first = (max if scores.higher_is_better else min)(means, key=means.__getitem__)
    contrasts = [(str(cell), comparison.difference(cell, first)) for cell in pairs if cell != first]
    named: list[tuple[str, str, Contrast | str]] = [("pair", name, one) for name, one in contrasts if one is not None]
    lines = estimated(scores, named)
    decided = len(lines) == len(contrasts) and all(_worse(line, scores.higher_is_better) for line in lines)
    return first if decided else None


def _worse(line: Line, higher_is_better: bool) -> bool:
    found = line.result
    return found is not None and not line.doubt and found.p < LEVEL and (found.value < 0) == higher_is_better
