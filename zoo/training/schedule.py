"""How the learning rate rises and falls in a training."""

from __future__ import annotations

import math


def learning_rate_factor(share: float, after: float, warmup: float, schedule: str = "cosine") -> float:
    """Linear warm-up, and at the same time a way down to 0 as the budget is spent, unless it is constant.

    The same for a budget of steps and one of seconds, so that a slow network spends no more of it warming up.

    Args:
        share: of the budget that is spent before this step.
        after: share of it that will be spent after this step, or number of steps,
        warmup: of which the rate rises over so much.
        schedule: "cosine", "linear" or "constant".
    """
    rise = min(1.0, after / warmup) if warmup else 1.0
    if schedule == "constant":
        return rise
    return rise * (1 - share if schedule == "linear" else 0.5 * (1 + math.cos(math.pi * share)))
