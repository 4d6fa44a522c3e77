"""The colouring that can be trusted: what a model expects, pale where its samples disagree.

From pure noise, which tells nothing, a network that says x0 or v says at once the mean of all colourings that it holds
possible. That is the first step of sampling: on validation photos it is as near to the truth as the mean of eight
samples (docs/colouring.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

DRAWS = 2  # samples by which disagreement is measured
HOLD = 0.1  # how much colour is held back for disagreement; see `held_back`
_NEAR = 8  # of a picture's shorter side: one part in so many, over which disagreement is averaged
_LEAST = 1e-6  # of squared ab: a tenth of a Lab unit


class Drawn(NamedTuple):
    """One sample of a picture, and what its first step expected: both (1, 2, h, w) ab."""

    ab: Tensor
    expected: Tensor


def trusted(drawn: Sequence[Drawn], *, sure: bool, parameterisation: str, told: Tensor | None = None) -> Tensor:
    """(1, 2, h, w) ab to show of a picture.

    Args:
        drawn: independent of each other.
        sure: nothing is held back.
        parameterisation: of the model's diffusion; eps, divided by hardly any signal, expects nothing at once, so that
            the samples' own mean must do.
        told: (1, 1, h', w'), 1 where the user said a colour: nothing is held back there; None: nowhere.
    """
    samples = torch.cat([draw.ab for draw in drawn])
    at_once = torch.cat([draw.expected for draw in drawn])
    mean = (samples if parameterisation == "eps" else at_once).mean(dim=0, keepdim=True)
    if sure:
        return mean
    held = held_back(mean, samples)
    return held if told is None else torch.lerp(held, mean, F.interpolate(told, mean.shape[-2:]))


def held_back(mean: Tensor, samples: Tensor, hold: float = HOLD) -> Tensor:
    """``mean`` times m² / (m² + hold·s²), with m² its squared chroma and s² the samples' mean squared distance from it.

    That is the Wiener filter's gain, for what has that mean and, of its own, that variance about it as noise. Both are
    averaged over a neighbourhood, for few samples tell little of one place.

    Args:
        mean: (1, 2, h, w) ab.
        samples: (N, 2, h, w).
        hold: 0 holds nothing back.
    """
    signal = _nearby(mean.square().sum(dim=1, keepdim=True))
    noise = _nearby((samples - mean).square().sum(dim=1, keepdim=True).mean(dim=0, keepdim=True))
    return mean * (signal / (signal + hold * noise + _LEAST))


def _nearby(x: Tensor) -> Tensor:
    """(1, 1, h, w) averaged over squares around each place."""
    reach = max(1, min(x.shape[-2:]) // (2 * _NEAR))
    return F.avg_pool2d(x, 2 * reach + 1, stride=1, padding=reach, count_include_pad=False)
