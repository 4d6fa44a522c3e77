"""Where in a photo a colouring is measured: faces, skin outside them, everything else, and what is neutral."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from zoo.faces.detect import Face

_HUE = (15.0, 85.0)  # degrees, and chroma: generous bounds of skin under usual light, as in `zoo.metrics.skin_tone`
_CHROMA = (8.0, 60.0)
_LEAST = 0.1  # of a face that must look like skin, or there is none to compare other places with
_ALIKE = 10.0  # Lab units from the face's own skin
_NEUTRAL = 5.0  # chroma, below which a colour is called neutral


class Regions(NamedTuple):
    """Each (H, W) bool; the first three are disjoint and cover the photo."""

    faces: np.ndarray
    skin: np.ndarray
    elsewhere: np.ndarray
    neutral: np.ndarray


def regions(ab: np.ndarray, faces: list[Face]) -> Regions:
    """Where what is, by the true colours.

    A face is the ellipse in the box of its detection. Skin outside is what has nearly the colours of a face's own skin,
    so that a photo without faces has none.

    Args:
        ab: (H, W, 2) true a*, b* in Lab units.
        faces: found in the photo, in its pixels.
    """
    hue, chroma = np.degrees(np.arctan2(ab[..., 1], ab[..., 0])), np.hypot(ab[..., 0], ab[..., 1])
    plausible = (hue >= _HUE[0]) & (hue <= _HUE[1]) & (chroma >= _CHROMA[0]) & (chroma <= _CHROMA[1])
    inside, alike = np.zeros(plausible.shape, bool), np.zeros(plausible.shape, bool)
    for face in faces:
        ellipse = _ellipse(face, plausible.shape)
        inside |= ellipse
        own = ellipse & plausible
        if own.sum() >= max(1, _LEAST * ellipse.sum()):
            alike |= plausible & (np.linalg.norm(ab - np.median(ab[own], axis=0), axis=2) <= _ALIKE)
    skin = alike & ~inside
    return Regions(inside, skin, ~inside & ~skin, chroma < _NEUTRAL)


def _ellipse(face: Face, shape: tuple[int, ...]) -> np.ndarray:
    left, top, right, bottom = face.box
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    return ((2 * x - left - right) / (right - left)) ** 2 + ((2 * y - top - bottom) / (bottom - top)) ** 2 <= 1
