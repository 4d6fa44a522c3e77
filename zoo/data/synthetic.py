"""Small painted faces whose colours can be told from their lightness. Needs no file and no download.

What L shows decides the colour, as it does in photos, only more simply: skin, lips, hair and eyes take theirs from how
light they are, the shirt from its stripes, the wall from its pattern. A plain wall may be either of two colours and
every colour varies a little, so there is something left that L does not tell.

The pictures are the same on every machine: only operations that IEEE 754 rounds exactly (+ − × ÷ √) come before the
rounding to 8 bits, so no sines, powers or matrix products.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from zoo.data import Dataset, Split
from zoo.data._paint import Canvas, Color, stripes, wave
from zoo.errors import ZooError
from zoo.faces.box import TEMPLATE
from zoo.faces.framing import Box
from zoo.registry import datasets

_VERSION = 1  # raise it when the same parameters give other pictures
_SPLITS: tuple[Split, ...] = ("train", "val", "test")

FACE_BOX = Box(0.17, 0.14, 0.66)

# (a*, b*) of unit chroma
_HUES = {"red": (0.87, 0.5), "ochre": (0.26, 0.97), "green": (-0.77, 0.64), "teal": (-0.94, -0.34)}
_HUES |= {"blue": (0.1, -0.99), "violet": (0.64, -0.77), "rose": (0.98, 0.17)}

_WALLS = (("blue", "ochre"), ("teal",), ("rose",), ("green",), ("violet",))  # by pattern; the plain one is ambiguous
_SHIRTS = ("blue", "red", "green", "ochre")  # by stripes


@datasets.register("synthetic")
class Synthetic(Dataset):
    """Painted faces; each a function of ``seed``, split, number and ``size`` alone.

    Args:
        n_train: how many for training.
        n_val: how many for validation.
        n_test: how many for the test.
        size: side in pixels, at least 32.
        seed: other seeds, other faces.

    Raises:
        ZooError: a size or number that is too small.
    """

    face_box = FACE_BOX
    distinct = True  # drawn anew each; but some are alike in lightness by chance, as sketches are

    def __init__(self, n_train: int = 2000, n_val: int = 200, n_test: int = 200, size: int = 96, seed: int = 0) -> None:
        if size < 32:
            raise ZooError(f"size={size} is too small for a face; expected at least 32")
        if min(n_train, n_val, n_test) < 1 or seed < 0:
            raise ZooError(
                f"n_train={n_train} n_val={n_val} n_test={n_test} seed={seed}: expected 1 or more of each, and "
                "a seed of at least 0"
            )
        self.counts = dict(zip(_SPLITS, (n_train, n_val, n_test)))
        self.size = size
        self.seed = seed

    def keys(self, split: Split) -> list[str]:
        return [f"{split}/{index:07d}" for index in range(self.counts[split])]

    def signature(self, split: Split) -> str:
        parameters = ("synthetic", _VERSION, split, self.counts[split], self.size, self.seed)
        return hashlib.sha256(repr(parameters).encode()).hexdigest()

    def load(self, key: str) -> np.ndarray:
        split, index = key.split("/")
        entropy = (self.seed, _SPLITS.index(split), int(index))
        rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))
        return _paint_face(_Look.draw(rng), self.size, rng)


@dataclass(frozen=True)
class _Look:
    """All that varies. Lengths are in sides of the template's square, lightness is L*."""

    centre: tuple[float, float]
    scale: float
    tilt: float  # tangent
    yaw: float  # how far the features move sideways
    light: float  # from the left (−1) to the right (1)
    skin: float
    hair: float
    iris: float
    lips: float  # how much darker than the skin
    wall: float
    shirt: float
    pattern: int
    stripes: int
    long_hair: bool
    fringe: float
    width: float
    smile: float
    second_hue: int
    jitter: tuple[Color, ...]  # of skin, lips, hair, iris, wall, shirt

    @staticmethod
    def draw(rng: np.random.Generator) -> _Look:
        def between(low: float, high: float) -> float:
            return low + (high - low) * rng.random()

        return _Look(
            centre=(between(-0.03, 0.03), between(-0.03, 0.03)),
            scale=between(0.93, 1.07),
            tilt=between(-0.12, 0.12),
            yaw=between(-0.045, 0.045),
            light=between(-1, 1),
            skin=between(38, 80),
            hair=between(12, 74),
            iris=between(18, 55),
            lips=between(8, 20),
            wall=between(35, 80),
            shirt=between(28, 72),
            pattern=int(rng.integers(len(_WALLS))),
            stripes=int(rng.integers(len(_SHIRTS))),
            long_hair=bool(rng.integers(2)),
            fringe=between(0.2, 0.34),
            width=between(0.385, 0.43),
            smile=between(0.01, 0.07),
            second_hue=int(rng.integers(2)),
            jitter=tuple((between(-3, 3), between(-3, 3)) for _ in range(6)),
        )


def _ramp(x: float, *points: tuple[float, float, float]) -> tuple[float, float]:
    """Piecewise linear (a*, b*) of a lightness, through points (L*, a*, b*)."""
    for (x0, a0, b0), (x1, a1, b1) in pairwise(points):
        if x <= x1:
            t = max(0.0, (x - x0) / (x1 - x0))
            return a0 + t * (a1 - a0), b0 + t * (b1 - b0)
    return points[-1][1:]


def _hue(name: str, chroma: float) -> tuple[float, float]:
    a, b = _HUES[name]
    return chroma * a, chroma * b


def _paint_face(look: _Look, size: int, rng: np.random.Generator) -> np.ndarray:
    """(size, size, 3) uint8 sRGB."""
    canvas = Canvas(size)
    skin, lips, hair, iris, wall, shirt = (
        (a + da, b + db)
        for (a, b), (da, db) in zip(
            (
                _ramp(look.skin, (38, 14, 20), (60, 15, 26), (80, 9, 15)),
                _ramp(look.lips, (8, 20, 10), (20, 42, 18)),
                _ramp(look.hair, (12, 2, 2), (35, 14, 22), (74, 6, 38)),
                _ramp(look.iris, (18, 10, 16), (34, -8, 12), (55, -4, -24)),
                _hue(_WALLS[look.pattern][look.second_hue % len(_WALLS[look.pattern])], 26),
                _hue(_SHIRTS[look.stripes], 36),
            ),
            look.jitter,
        )
    )
    canvas.fill(_wall(canvas, look), wall)
    canvas.place(FACE_BOX, look.centre, look.scale, look.tilt)
    _body(canvas, look, skin, shirt, hair)
    _head(canvas, look, skin, hair)
    _features(canvas, look, skin, lips, hair, iris)
    return canvas.to_rgb(grain=rng.random((size, size), dtype=np.float32))


def _wall(canvas: Canvas, look: _Look) -> np.ndarray:
    """L* of the wall, (S, S)."""
    x, y = 6 * canvas.x, 6 * canvas.y
    if look.pattern == 0:
        return look.wall + 14 * (0.5 - canvas.y)
    pattern = {
        1: lambda: stripes(x),
        2: lambda: stripes(y),
        3: lambda: np.clip(6 * (wave(x) * wave(y)) - 2.5, 0, 1),  # dots
        4: lambda: np.abs(stripes(x / 2) - stripes(y / 2)),  # checks
    }[look.pattern]()
    return look.wall + 18 * (pattern - 0.5)


def _shirt(canvas: Canvas, look: _Look) -> np.ndarray | float:
    """L* of the shirt: plain, striped across, striped along, or checked."""
    u, v = 9 * canvas.u, 9 * canvas.v
    pattern = {
        0: lambda: 0.5,
        1: lambda: stripes(v),
        2: lambda: stripes(u),
        3: lambda: np.abs(stripes(u) - stripes(v)),
    }[look.stripes]()
    return look.shirt + 22 * (pattern - 0.5)


def _body(canvas: Canvas, look: _Look, skin: Color, shirt: Color, hair: Color) -> None:
    """Hair behind the head, neck, shoulders."""
    behind = canvas.ellipse(0.5, 0.42, look.width + 0.075, 0.5)
    if look.long_hair:
        behind = np.maximum(behind, canvas.ellipse(0.5, 0.72, look.width + 0.085, 0.62))
    canvas.paint(behind, look.hair - 3, hair)
    neck = canvas.inside(np.maximum(np.abs(canvas.u - 0.5) - 0.19, 0.7 - canvas.v))
    canvas.paint(neck, look.skin - 12, skin)
    canvas.paint(canvas.ellipse(0.5, 1.62, 0.85, 0.52), _shirt(canvas, look), shirt)


def _head(canvas: Canvas, look: _Look, skin: Color, hair: Color) -> None:
    """Ears, the oval with its shading and cheeks, hair over the forehead."""
    for x in (0.5 - look.width, 0.5 + look.width):
        part = canvas.around(x, 0.56, 0.1)
        part.paint(part.ellipse(x, 0.56, 0.055, 0.1), look.skin - 6, skin)
    radius = canvas.radius(0.5, 0.52, look.width, 0.53)
    oval = canvas.inside((radius - 1) * look.width)
    shading = 14 * look.light * (canvas.u - 0.5) - 9 * np.square(np.square(radius))
    canvas.paint(oval, look.skin + 4 + shading, skin)
    for x in (0.28 + look.yaw, 0.72 + look.yaw):
        part = canvas.around(x, 0.7, 0.15)
        part.shade(np.clip(1 - part.radius(x, 0.7, 0.15, 0.12), 0, 1), -2, 9)
    middle = canvas.u - 0.5 - look.yaw
    hairline = look.fringe - 1.1 * np.square(middle)  # an arch: high in the middle, low at the temples
    fringe = canvas.inside(np.maximum(canvas.v - (2 * look.fringe - hairline - 0.05), (radius - 1.04) * look.width))
    parting = np.abs(middle + 0.4 * look.light)
    strands = 4 * (wave(13 * parting + 5 * canvas.v) + wave(8 * parting - 3 * canvas.v)) - 5 * parting
    canvas.paint(fringe, look.hair + strands, hair)


def _features(canvas: Canvas, look: _Look, skin: Color, lips: Color, hair: Color, iris: Color) -> None:
    """Eyes, brows, nose and mouth where the template has them."""
    left_eye, right_eye, nose, left, right = TEMPLATE.tolist()
    for x, y in (left_eye, right_eye):
        _eye(canvas.around(x + look.yaw, y - 0.05, 0.1), x + look.yaw, y, look, skin, hair, iris)
    x, y = nose[0] + 1.4 * look.yaw, nose[1]
    part = canvas.around(x, y - 0.08, 0.16)
    part.shade(np.clip(1 - part.radius(x + 0.03 * look.light, y - 0.08, 0.035, 0.15), 0, 1), 6)
    part.shade(part.ellipse(x, y + 0.015, 0.06, 0.022), -9, 3)
    x, y, half = (left[0] + right[0]) / 2 + look.yaw, left[1], (right[0] - left[0]) / 2
    part = canvas.around(x, y, 0.16)
    arch = 1 - np.square((part.u - x) * (1 / half))  # 1 in the middle, 0 in the corners
    line = part.v - (y - 0.01 + look.smile * arch)
    width = 0.034 * arch  # negative, and so nothing, beyond the corners
    part.paint(part.inside(np.abs(line) - width), look.skin - look.lips, lips)
    part.paint(part.inside(np.abs(line) - 0.2 * width), max(look.skin - look.lips - 20, 8), lips)


def _eye(part: Canvas, x: float, y: float, look: _Look, skin: Color, hair: Color, iris: Color) -> None:
    part.paint(part.ellipse(x, y - 0.115, 0.085, 0.02), min(look.hair, look.skin - 12) - 2, hair)
    part.paint(part.ellipse(x, y, 0.072, 0.042), look.skin - 22, skin)
    white = part.ellipse(x, y + 0.006, 0.064, 0.035)
    part.paint(white, 90, (0, 2))
    part.paint(white * part.ellipse(x, y, 0.036, 0.036), look.iris, iris)
    part.paint(white * part.ellipse(x, y, 0.017, 0.017), 6, (0, 0))
    part.paint(part.ellipse(x + 0.012, y - 0.012, 0.009, 0.009), 97, (0, 0))
