"""How the learning rate rises and falls over the budget of a training."""

from __future__ import annotations

import math


def learning_rate_factor(share: float, after: float, warmup: float) -> float:
    """Linear warm-up, then a cosine down to 0 as the budget is spent.

    The same for a budget of steps and one of seconds, so that a slow network spends no more of it warming up.

    Args:
        share: of the budget that is spent before this step,
        after: and after it.
        warmup: share of the budget over which the rate rises.
    """
    rise = min(1.0, after / warmup) if warmup else 1.0
    return rise * 0.5 * (1 + math.cos(math.pi * share))
