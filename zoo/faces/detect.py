"""Where the faces of a photo are, and how each is framed so that a model sees it as those that it was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.color.srgb import LUMINANCE
from zoo.faces.box import TEMPLATE, detector
from zoo.faces.framing import WHOLE, Box
from zoo.faces.viewport import Viewport, fit_viewport, resized

BoxEdges = tuple[float, float, float, float]  # left, top, right, bottom

_LARGEST = 1024  # pixels of the longer side at which faces are looked for
_SMALLEST = 512  # and of the shorter side: smaller photos are enlarged, so that small faces are seen
_SCALES = (1.0, 0.84)  # of that size; the second lies between the steps of MTCNN's own pyramid
_FACE = 28  # pixels, at that size: the smallest face looked for
_BORDER = 0.2  # of the shorter side, around the photo: MTCNN misplaces the landmarks of faces that reach the edge
_LIKELY = 0.9  # of MTCNN's scores
_SAME = 0.5  # of the smaller of two boxes: if they share more, they are of one face
_WHOLE = 0.2  # of the photo's side; see `fills`


@dataclass(frozen=True, eq=False)
class Face:
    """A face in a photo.

    Attributes:
        landmarks: (5, 2) float64 x, y in pixels: eyes, nose, corners of the mouth, left to right.
        box: left, top, right and bottom edge in pixels; may reach outside.
        score: MTCNN's, in (0, 1].
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
        return fit_viewport(self.landmarks, TEMPLATE).of((face_box or WHOLE).inverse())


def find_faces(photo: np.ndarray) -> list[Face]:
    """The faces of ``photo`` (H, W, 3) or (H, W) uint8, largest first, found by MTCNN (Zhang et al. 2016) on the CPU.

    They are looked for in grey, so that colour changes nothing, at two scales and no more than 1024 pixels a side. What
    looks like a face at one scale alone, as a golf ball may, must do so in the mirror as well.
    """
    rgb = photo if photo.ndim == 3 else np.repeat(photo[..., None], 3, axis=2)
    height, width = rgb.shape[:2]
    scale = min(max(1.0, _SMALLEST / min(height, width)), _LARGEST / max(height, width))
    with detector(_FACE) as mtcnn:

        def look(image: np.ndarray) -> list[list[Face]]:
            return [_at_scale(mtcnn, image, scale * factor) for factor in _SCALES]

        views = look(rgb)
        found = _distinct([face for faces in views for face in faces])
        if any(not _seen_twice(face, views) for face in found):
            views += [[_mirrored(face, width) for face in faces] for faces in look(np.ascontiguousarray(rgb[:, ::-1]))]
    kept = [face for face in found if _seen_twice(face, views)]
    return sorted(kept, key=lambda face: (-_area(face.box), face.box))


def _at_scale(mtcnn: Any, rgb: np.ndarray, scale: float) -> list[Face]:
    """The faces that are seen in ``rgb`` (H, W, 3) when it is resized by ``scale``."""
    height, width = rgb.shape[:2]
    small = resized(rgb, max(1, round(height * scale)), max(1, round(width * scale)))
    border = round(_BORDER * min(small.shape[:2]))
    grey = np.rint(small @ LUMINANCE).astype(np.uint8)
    seen = np.repeat(np.pad(grey, border, mode="edge")[..., None], 3, axis=2)
    if min(seen.shape[:2]) < _FACE:
        return []  # a thread of a photo: MTCNN has nothing to look at
    try:
        boxes, scores, points = mtcnn.detect(seen, landmarks=True)
    except (RuntimeError, IndexError):  # it cannot go on when one of its stages leaves nothing
        return []
    if boxes is None:
        return []

    def in_photo(x: np.ndarray) -> np.ndarray:
        return (x.astype(np.float64) - border) / scale

    kept = [i for i, score in enumerate(scores) if score >= _LIKELY]
    return [Face(in_photo(points[i]), tuple(in_photo(boxes[i]).tolist()), float(scores[i])) for i in kept]


def _mirrored(face: Face, width: int) -> Face:
    """``face`` of a photo's mirror image, in the photo."""
    left, top, right, bottom = face.box
    landmarks = face.landmarks[[1, 0, 2, 4, 3]] * (-1, 1) + (width, 0)  # the left eye is the right one there
    return Face(landmarks, (width - right, top, width - left, bottom), face.score)


def _seen_twice(face: Face, views: list[list[Face]]) -> bool:
    """Whether ``face`` is seen in two of the ``views`` at least.

    Of 503 training photos of things, animals and people that keeps 63 faces, all of them real. Of the seven places that
    are seen once, three are people: two of 10 pixels, one cut by the edge. A score tells less: a horn had .983. In 500
    test photos it finds 64 faces, a carved and a masked one among them, and takes a clock and an altar for two more.
    """
    return sum(any(_shared(face.box, other.box) > _SAME for other in faces) for faces in views) > 1


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
