"""The transfer curve of sRGB (IEC 61966-2-1), both ways, of arrays and tensors alike; and its primaries.

Arrays keep their type: in float64 a result that is rounded to 8 bits is the same on every machine.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

Values = TypeVar("Values", np.ndarray, Tensor)

Matrix = tuple[tuple[float, float, float], ...]
LUMINANCE = (0.212671, 0.715160, 0.072169)  # of linear R, G, B in Y
TO_XYZ: Matrix = ((0.412453, 0.357580, 0.180423), LUMINANCE, (0.019334, 0.119193, 0.950227))
FROM_XYZ: Matrix = ((3.240481, -1.537152, -0.498536), (-0.969255, 1.875990, 0.041556), (0.055647, -0.204041, 1.057311))
WHITE = (0.950456, 1.0, 1.088754)  # X, Y, Z of R = G = B = 1
D65 = (0.95047, 1.0, 1.08883)  # X, Y, Z of CIE Lab's white, in the digits of scikit-image and kornia
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


def through(matrix: Matrix, channels: Iterable[Values]) -> list[Values]:
    """Three channels, of any shape, through a matrix of three columns: one for each of its rows."""
    first, second, third = channels
    return [a * first + b * second + c * third for a, b, c in matrix]


def luminance(linear: np.ndarray) -> np.ndarray:
    """Y (…) of linear RGB (…, 3), both in [0, 1]."""
    return through((LUMINANCE,), np.moveaxis(linear, -1, 0))[0]


def _where(condition: Values, yes: Values, no: Values) -> Values:
    if isinstance(condition, Tensor):
        return torch.where(condition, yes, no)
    return np.where(condition, yes, no)
