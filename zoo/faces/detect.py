"""Where the faces of a photo are, and how each is framed so that a model sees it as those that it was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from zoo.color.srgb import LUMINANCE
from zoo.faces.box import TEMPLATE
from zoo.faces.framing import WHOLE, Box
from zoo.faces.viewport import Viewport, fit_viewport, resized

BoxEdges = tuple[float, float, float, float]  # left, top, right, bottom

CENTERFACE = Path(__file__).parents[1] / "bundled" / "centerface.onnx"
_LARGEST = 1024  # pixels of the longer side at which faces are looked for
_SMALLEST = 512  # and of the shorter side: smaller photos are enlarged, so that small faces are seen
_SCALES = {1.0: 0.0, 0.25: 350.0}  # of that size, and how large, at that size, a face must be to be looked for there
_BORDER = 0.2  # of the shorter side, around the photo, for faces that reach its edge
_LIKELY = 0.65  # of the scores; on photos of training and validation dogs have up to .62
_STRIDE, _MULTIPLE = 4, 32  # of the network: pixels to a score, and what sides must be multiples of
_SAME = 0.5  # of the smaller of two boxes: if they share more, they are of one face
_WHOLE = 0.2  # of the photo's side; see `fills`
# In heights of a face's box, by 133 faces of training and validation: the side of the template's square that fits the
# landmarks, and how far its middle lies above the box's. In profile that side is .65 to .78 of the usual, else .82 and
# more. And half of a face's width, in sides of the square (`zoo.photos.skin`).
_SQUARE, _ABOVE, _PROFILE, _HALF = 1.04, 0.08, 0.8, 0.4


@dataclass(frozen=True, eq=False)
class Face:
    """A face in a photo.

    Attributes:
        landmarks: (5, 2) float64 x, y in pixels: eyes, nose, corners of the mouth, left to right.
        box: left, top, right and bottom edge in pixels; may reach outside.
        score: the detector's, in (0, 1].
    """

    landmarks: np.ndarray
    box: BoxEdges
    score: float

    def viewport(self, face_box: Box | None) -> Viewport:
        """The square of the photo that shows this face as a model's training images show theirs.

        Args:
            face_box: where the ArcFace template's square lies in those (`ColorDiffusion.face_box`). None, which is not
                known: they are taken to be that square.
        """
        return self._square().of((face_box or WHOLE).inverse())

    def _square(self) -> Viewport:
        """The template's square. In profile landmarks lie on a line, to which one fits that is too small: then it is as
        large as the box, and a face that stood in it would end where the box does in front."""
        fitted = fit_viewport(self.landmarks, TEMPLATE)
        left, top, right, bottom = self.box
        side = _SQUARE * (bottom - top)
        if fitted.size >= _PROFILE * side:
            return fitted
        looks_right = self.landmarks[2, 0] > self.landmarks[:2, 0].mean()
        x = right - _HALF * side if looks_right else left + _HALF * side
        middle = complex(x, (top + bottom) / 2 - _ABOVE * (bottom - top))
        return Viewport(middle - side * (0.5 + 0.5j), complex(side))


def find_faces(photo: np.ndarray) -> list[Face]:
    """The faces of ``photo`` (H, W, 3) or (H, W) uint8, largest first, found by CenterFace (Xu et al. 2019) on the CPU.

    They are looked for in grey, so that colour changes nothing, in no more than 1024 pixels a side, and in a quarter of
    that once more: what is larger than 500 pixels the network does not see. zoo/bundled/README.md has counts.
    """
    rgb = photo if photo.ndim == 3 else np.repeat(photo[..., None], 3, axis=2)
    height, width = rgb.shape[:2]
    scale = min(max(1.0, _SMALLEST / min(height, width)), _LARGEST / max(height, width))
    found = [
        face
        for factor, least in _SCALES.items()
        for face in _at_scale(rgb, scale * factor)
        if scale * (face.box[3] - face.box[1]) >= least
    ]
    return sorted(_distinct(found), key=lambda face: (-_area(face.box), face.box))


def _at_scale(rgb: np.ndarray, scale: float) -> list[Face]:
    """What may be faces in ``rgb`` (H, W, 3) when it is resized by ``scale``; several to a face."""
    height, width = (max(1, round(side * scale)) for side in rgb.shape[:2])
    border = round(_BORDER * min(height, width))
    rest = (-(side + 2 * border) % _MULTIPLE for side in (height, width))
    grey = np.rint(resized(rgb, height, width) @ LUMINANCE).astype(np.float32)
    seen = np.pad(grey, [(border, border + more) for more in rest], mode="edge")
    pixels = np.repeat(seen[None, None], 3, axis=1)
    scores, sizes, offsets, points = (map_[0].astype(np.float64) for map_ in _network().run(None, {"input.1": pixels}))
    faces = []
    for y, x in np.argwhere(scores[0] > _LIKELY):
        size = _STRIDE * np.exp(sizes[::-1, y, x])  # x before y, from here on
        corner = _STRIDE * (offsets[::-1, y, x] + (x, y) + 0.5) - size / 2
        landmarks = corner + size * points[:, y, x].reshape(5, 2)[:, ::-1]
        edges = np.concatenate([corner, corner + size])
        box: BoxEdges = tuple(((edges - border) / scale).tolist())
        faces.append(Face((landmarks - border) / scale, box, float(scores[0, y, x])))
    return faces


@cache
def _network() -> Any:
    """CenterFace: (1, 3, h, w) grey in 0..255 to maps of scores, log sizes, offsets and landmarks, y before x."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # sums do not depend on their number then
    return onnxruntime.InferenceSession(CENTERFACE.read_bytes(), options, providers=["CPUExecutionProvider"])


def _distinct(faces: list[Face]) -> list[Face]:
    """Each face once, as it was seen with the most certainty (non-maximum suppression)."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: (-face.score, face.box)):
        if all(_shared(face.box, other.box) <= _SAME for other in kept):
            kept.append(face)
    return kept


def _shared(a: BoxEdges, b: BoxEdges) -> float:
    """Of the smaller of two boxes, the share that the other covers."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    return max(width, 0.0) * max(height, 0.0) / min(_area(a), _area(b))


def fills(viewport: Viewport, height: int, width: int) -> bool:
    """Whether ``viewport`` shows nearly what the whole photo does: corners are off by at most a fifth of its side."""
    off = viewport.corners - np.array([0, width, width + 1j * height, 1j * height])
    return bool(np.abs(off).max() <= _WHOLE * min(height, width))


def _area(box: BoxEdges) -> float:
    left, top, right, bottom = box
    return (right - left) * (bottom - top)
