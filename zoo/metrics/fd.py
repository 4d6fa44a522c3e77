"""Fréchet distance in a named feature space. Only Inception's is called FID."""

from __future__ import annotations

from collections.abc import Sequence

from zoo.errors import ZooError
from zoo.metrics._face_space import FACE_SPACES, FaceSpace
from zoo.metrics._frechet import FrechetMetric
from zoo.metrics._st_lpips import PooledSTLPIPS
from zoo.registry import metrics

SPACES = ("st_lpips", *FACE_SPACES)


@metrics.register("fd")
class FD(FrechetMetric):
    """Fréchet distance between colourings and their truths; its score is ``fd_st_lpips``, ``fd_arcface``, ….

    * ``st_lpips``: AlexNet of shift-tolerant LPIPS, activations of its five layers (not unit-normalised) averaged
      over the image at its own size, 1152 numbers. It sees colour well and needs no download: a stand-in for FID.
    * ``arcface``, ``facenet``: embeddings of the colour image, not normalised. They hardly see colour.

    Biased upwards at a small N: give N beside it, never compare across N.

    Args:
        space: one of the above.
        weights: for the face networks, as their encoders' option; st_lpips has its own.
        face_box: for the face networks, x0, y0, side of the ArcFace template's square; None: the whole image.

    Raises:
        ZooError: an unknown space, or an option that it does not take.
    """

    def __init__(
        self, space: str = "st_lpips", weights: str | None = None, face_box: Sequence[float] | None = None
    ) -> None:
        super().__init__()
        if space not in SPACES:
            raise ZooError(f"metrics.fd.space={space}: unknown; expected one of {', '.join(SPACES)}")
        if space == "st_lpips" and (weights is not None or face_box is not None):
            raise ZooError("metrics.fd: space st_lpips takes neither weights nor face_box; leave them null")
        self.name, self.space = f"fd_{space}", space
        self._face = None if space == "st_lpips" else FaceSpace(space, weights, face_box)

    def load(self, device: str) -> None:
        if self._face is None:
            self.extractor = PooledSTLPIPS(device)
        else:
            self._face.load(device, "metrics.fd.weights")
            self.extractor = self._face
