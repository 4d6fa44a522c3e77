"""How the library tells whoever is waiting what it is at. It prints nothing by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

Progress = Callable[[Iterable, int, str], Iterable]  # (items, how many, what is done) → the same items


@dataclass(frozen=True)
class StepInfo:
    """What a progress bar wants to know of training."""

    step: int
    loss: float
    images_per_second: float
    share: float  # of the budget, in [0, 1]


OnStep = Callable[[StepInfo], None]
