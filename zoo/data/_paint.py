"""A small canvas in CIE Lab with soft-edged shapes, exact to the bit on every machine (see `zoo.data.synthetic`)."""

from __future__ import annotations

import copy
from functools import cache

import numpy as np

from zoo.color.lab import f_inverse
from zoo.color.srgb import FROM_XYZ, WHITE, from_linear, through
from zoo.faces.framing import Box

Color = tuple[float, float]  # a*, b*

_STEPS = 4096


class Canvas:
    """Size × size pixels of L*, a*, b*.

    Attributes:
        x, y: pixel centres in fractions of the image.
        u, v: the same in the frame that `place` set up; shapes are drawn in it.
    """

    def __init__(self, size: int) -> None:
        self.lab = np.zeros((3, size, size), np.float32)
        self.x, self.y = _grid(size)
        self.place(Box(), (0, 0), 1, 0)

    def place(self, box: Box, shift: tuple[float, float], scale: float, tilt: float) -> None:
        """Draw in fractions of ``box`` from now on; moved, scaled and turned about the box's centre.

        Args:
            tilt: tangent of half the angle, so that sine and cosine need no transcendental function.
        """
        self._side = side = box.side * scale
        self._centre = cx, cy = box.x0 + box.side * (0.5 + shift[0]), box.y0 + box.side * (0.5 + shift[1])
        self._turn = cos, sin = (1 - tilt * tilt) / (1 + tilt * tilt), 2 * tilt / (1 + tilt * tilt)
        self._pixel = 1 / (side * self.lab.shape[1])
        x, y = (self.x - cx) * (1 / side), (self.y - cy) * (1 / side)
        self.u, self.v = 0.5 + cos * x + sin * y, 0.5 - sin * x + cos * y  # (S, S)

    def around(self, u: float, v: float, half: float) -> Canvas:
        """A window on the pixels that may lie within ``half`` of a point; painting it paints this canvas."""
        size = self.lab.shape[1]
        reach = 1.2 * half / self._pixel + 1  # 1.2: turned by up to 15°, a square's box is so much larger
        column, row = (size * position for position in self._position(u, v))
        part = tuple(slice(max(0, int(at - reach)), max(1, int(at + reach) + 2)) for at in (row, column))
        window = copy.copy(self)
        window.lab = self.lab[(slice(None), *part)]
        window.x, window.y, window.u, window.v = (grid[part] for grid in (self.x, self.y, self.u, self.v))
        return window

    def _position(self, u: float, v: float) -> tuple[float, float]:
        """x, y in the image of a point of the frame."""
        (cx, cy), (cos, sin) = self._centre, self._turn
        x, y = cos * (u - 0.5) - sin * (v - 0.5), sin * (u - 0.5) + cos * (v - 0.5)
        return cx + self._side * x, cy + self._side * y

    def radius(self, cx: float, cy: float, rx: float, ry: float) -> np.ndarray:
        """(S, S): distance from the centre of an ellipse, 1 on its edge."""
        return np.sqrt(np.square((self.u - cx) * (1 / rx)) + np.square((self.v - cy) * (1 / ry)))

    def ellipse(self, cx: float, cy: float, rx: float, ry: float) -> np.ndarray:
        """(S, S): how much of each pixel an ellipse covers, in [0, 1]."""
        return self.inside((self.radius(cx, cy, rx, ry) - 1) * min(rx, ry))

    def inside(self, distance: np.ndarray) -> np.ndarray:
        """Coverage of the region where a signed distance, in the current frame, is negative."""
        return np.clip(0.5 - distance * (1 / self._pixel), 0, 1)

    def fill(self, L: np.ndarray | float, color: Color) -> None:
        for channel, value in zip(self.lab, (L, *color)):
            channel[...] = value

    def paint(self, coverage: np.ndarray, L: np.ndarray | float, color: Color) -> None:
        """Over what is there, where ``coverage`` (S, S) is above 0."""
        for channel, value in zip(self.lab, (L, *color)):
            channel += coverage * (value - channel)

    def shade(self, coverage: np.ndarray, dL: float, da: float = 0.0) -> None:
        """Change L* and a* where ``coverage`` is above 0."""
        self.lab[0] += coverage * dL
        if da:
            self.lab[1] += coverage * da

    def to_rgb(self, grain: np.ndarray) -> np.ndarray:
        """(S, S, 3) uint8 sRGB, with ``grain`` (S, S) in [0, 1] as noise of ±1.5 L*."""
        fy = (np.clip(self.lab[0] + (3 * grain - 1.5), 2, 98) + 16) * (1 / 116)
        f = (fy + self.lab[1] * (1 / 500), fy, fy - self.lab[2] * (1 / 200))
        linear = np.stack(through(FROM_XYZ, (white * f_inverse(t) for white, t in zip(WHITE, f))), axis=-1)
        return _gamma().take((np.clip(linear, 0, 1) * (_STEPS - 1) + 0.5).astype(np.intp))


def wave(x: np.ndarray) -> np.ndarray:
    """Triangle wave of period 1, in [0, 1]."""
    return np.abs(2 * (x - np.floor(x)) - 1)


def stripes(x: np.ndarray) -> np.ndarray:
    """Soft stripes of period 1, in [0, 1]."""
    return np.clip(4 * wave(x) - 1.5, 0, 1)


@cache
def _grid(size: int) -> tuple[np.ndarray, np.ndarray]:
    centres = ((np.arange(size) + 0.5) / size).astype(np.float32)
    x, y = np.meshgrid(centres, centres)
    return x, y


@cache
def _gamma() -> np.ndarray:
    """sRGB's transfer curve in so many steps → uint8."""
    x = np.arange(_STEPS) / (_STEPS - 1)
    return np.rint(255 * from_linear(x)).astype(np.uint8)
