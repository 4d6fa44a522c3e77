"""How the learning rate rises and falls over the budget of a training."""

from __future__ import annotations

import math


def learning_rate_factor(step: int, warmup: int, share: float) -> float:
    """Linear warm-up over ``warmup`` steps, then a cosine down to 0 as ``share`` of the budget goes to 1."""
    return min(1.0, (step + 1) / max(warmup, 1)) * 0.5 * (1 + math.cos(math.pi * share))
