"""Feature spaces by name, for every metric that compares sets of images in one."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from zoo.errors import ZooError
from zoo.faces.framing import Box
from zoo.metrics import FeatureMetric
from zoo.metrics._encoder_space import AUTO, ENCODER_SPACES, FACE_SPACES, EncoderSpace
from zoo.metrics._inception import inception_sha, load_inception
from zoo.metrics._st_lpips import PooledSTLPIPS, st_lpips_sha

SPACES = ("st_lpips", "inception", *ENCODER_SPACES)


class SpaceMetric(FeatureMetric):
    """Compares sets in a named space; its scores end in that name.

    * ``st_lpips``: AlexNet of shift-tolerant LPIPS, activations of its five layers (not unit-normalised) averaged
      over the image at its own size, 1152 numbers. It sees colour well and needs no download: a stand-in for FID's.
    * ``inception``: that of FID, 2048 numbers.
    * ``dino``: DINOv2's class token, of the image at 112 px, 384 numbers (Stein et al. 2023: nearer to what people
      see than Inception).
    * ``arcface``, ``facenet``: embeddings of the colour face, not normalised. They hardly see colour.

    Args:
        space: one of the above.
        weights: as the option of the encoder of that name, or the path of Inception's; st_lpips has its own.
        face_box: for the face networks, x0, y0, side of the ArcFace template's square; ``"auto"``: the dataset's;
            None: the whole image.

    Raises:
        ZooError: an unknown space, or an option that it does not take.
    """

    def __init__(
        self, space: str = "st_lpips", weights: str | None = None, face_box: Sequence[float] | str | None = AUTO
    ) -> None:
        if space not in SPACES:
            raise ZooError(f"space={space}: unknown; expected one of {', '.join(SPACES)}")
        if space == "st_lpips" and weights is not None:
            raise ZooError("weights: space=st_lpips has its own weights; leave this null")
        if space not in FACE_SPACES and face_box not in (None, AUTO):
            raise ZooError(f"face_box: space={space} takes no face_box; leave it auto or null")
        self.space, self.weights = space, weights
        self._encoder = EncoderSpace(space, weights, face_box) if space in ENCODER_SPACES else None

    @classmethod
    def in_use(cls, options: dict[str, Any]) -> dict[str, Any]:
        sees_faces = options.get("space") in FACE_SPACES
        return options if sees_faces else {name: value for name, value in options.items() if name != "face_box"}

    def locate_faces(self, find: Callable[[], Box | None]) -> None:
        if self._encoder is not None:
            self._encoder.locate_faces(find)

    def weights_sha(self) -> str | None:
        if self._encoder is not None:
            return self._encoder.weights_sha()
        return inception_sha(self.weights) if self.space == "inception" else st_lpips_sha()

    def load(self, device: str) -> None:
        if self._encoder is not None:
            self._encoder.load(device)
            self.extractor = self._encoder
        elif self.space == "inception":
            self.extractor = load_inception(self.weights, device)
        else:
            self.extractor = PooledSTLPIPS(device)

    @abstractmethod
    def names(self) -> dict[str, bool | None]: ...
