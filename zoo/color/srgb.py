"""The transfer curve of sRGB (IEC 61966-2-1), both ways, of arrays and tensors alike; and its primaries.

Arrays keep their type: in float64 a result that is rounded to 8 bits is the same on every machine.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

Values = TypeVar("Values", np.ndarray, Tensor)

LUMINANCE = (0.212671, 0.715160, 0.072169)  # of linear R, G, B in Y, white point D65
_KNEE, _LINEAR_KNEE = 0.04045, 0.0031308  # below them the curve is a line
_SLOPE, _OFFSET, _POWER = 12.92, 0.055, 2.4


def to_linear(srgb: Values) -> Values:
    """sRGB in [0, 1] → linear light in [0, 1], of any shape."""
    curve = ((srgb + _OFFSET) / (1 + _OFFSET)) ** _POWER
    return _where(srgb > _KNEE, curve, srgb / _SLOPE)


def from_linear(linear: Values) -> Values:
    """Linear light in [0, 1] → sRGB in [0, 1], of any shape; a value beyond goes on along the curve."""
    curve = (1 + _OFFSET) * linear.clip(_LINEAR_KNEE) ** (1 / _POWER) - _OFFSET
    return _where(linear > _LINEAR_KNEE, curve, _SLOPE * linear)


def luminance(linear: np.ndarray) -> np.ndarray:
    """Y (…) of linear RGB (…, 3), both in [0, 1]."""
    red, green, blue = LUMINANCE
    return red * linear[..., 0] + green * linear[..., 1] + blue * linear[..., 2]


def _where(condition: Values, yes: Values, no: Values) -> Values:
    if isinstance(condition, Tensor):
        return torch.where(condition, yes, no)
    return np.where(condition, yes, no)
