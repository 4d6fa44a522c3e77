"""Where the ArcFace template lies in a set of images, from the landmarks of the faces in them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

import numpy as np
from PIL import Image

from zoo.faces.framing import Box, resample

# Eyes, nose, corners of the mouth in the 112×112 crop that ArcFace networks are trained on (Deng et al. 2019,
# insightface.utils.face_align.arcface_dst), as fractions of its side.
TEMPLATE = np.array(
    [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)]
)
TEMPLATE = TEMPLATE / 112

_MOST = 64
_BORDER = 0.25  # of the image, around it: where faces reach the edge MTCNN misplaces landmarks (UTKFace: by 5–10 %)
_DETECT_SIZE = 192  # pixels, border included; MTCNN's cost goes with the area
_CONFIDENCE = 0.9


def fit_template(landmarks: Sequence[tuple[float, float]] | np.ndarray) -> Box:
    """The square of the template whose points come closest to ``landmarks``, in least squares.

    Args:
        landmarks: (5, 2) x, y in fractions of the image: eyes, nose, corners of the mouth, left to right.

    Returns:
        x0, y0, side, rounded to 2 decimals.
    """
    points = np.asarray(landmarks, np.float64)
    centre, template_centre = points.mean(axis=0), TEMPLATE.mean(axis=0)
    spread = TEMPLATE - template_centre
    side = float(((points - centre) * spread).sum() / (spread**2).sum())
    x0, y0 = centre - side * template_centre
    return Box(round(float(x0), 2), round(float(y0), 2), round(side, 2))


def estimate_face_box(images: Iterable[np.ndarray]) -> Box | None:
    """The template's square in images that frame their faces alike, from their median landmarks (MTCNN's).

    MTCNN (Zhang et al. 2016) comes with facenet-pytorch, weights included; it runs on the CPU.

    Args:
        images: square, (S, S, 3) uint8 sRGB; the first 64 are used, of which only one is held at a time.

    Returns:
        The box, to 2 decimals; None, with a warning, when fewer than a quarter of the images show a face.
    """
    seen, found = 0, []
    with detector(_DETECT_SIZE // 4) as mtcnn:
        for image in islice(images, _MOST):
            seen += 1
            found += _landmarks(mtcnn, image)
    if not seen or len(found) < seen / 4:
        warnings.warn(
            f"faces found in {len(found)} of {seen} images: too few to tell where they lie, so encoders see the "
            "whole image; give face_box=[x0, y0, side] if you know it",
            stacklevel=2,
        )
        return None
    return fit_template(np.median(found, axis=0))


def _landmarks(mtcnn: Any, image: np.ndarray) -> list[np.ndarray]:
    """(5, 2) fractions of the image, of its largest face; none if it shows no face."""
    view = Box(-_BORDER, -_BORDER, 1 + 2 * _BORDER)
    boxes, scores, points = mtcnn.detect(Image.fromarray(resample(image, view, _DETECT_SIZE)), landmarks=True)
    if boxes is None or scores[0] < _CONFIDENCE:
        return []
    return [np.asarray(points[0], np.float64) / _DETECT_SIZE * view.side + (view.x0, view.y0)]


@contextmanager
def detector(smallest: int) -> Iterator[Any]:
    """facenet-pytorch's MTCNN on the CPU, largest face first, for faces of at least ``smallest`` pixels.

    Inside the block there is one torch thread, so that sums do not depend on their number; after it the random state
    is as it was (a module's initialisation draws from it).
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            from facenet_pytorch import MTCNN

            yield MTCNN(select_largest=True, min_face_size=smallest, device="cpu")
    finally:
        torch.set_num_threads(threads)
