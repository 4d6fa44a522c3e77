"""Whether a colouring is still the same person to a face recogniser."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch.nn.functional as F
from torch import Tensor

from zoo.errors import ZooError
from zoo.faces.framing import Box
from zoo.metrics._encoder_space import AUTO, FACE_SPACES, EncoderSpace
from zoo.metrics._per_image import PerImageMetric
from zoo.registry import metrics


@metrics.register("identity")
class Identity(PerImageMetric):
    """Cosine of the embeddings of colouring and truth, in [-1, 1]; its score is ``identity_arcface`` or
    ``identity_facenet``.

    Such networks hardly see colour, so all values are high, grey's too: it catches gross errors, and ranks nothing.

    Args:
        space: ``"arcface"`` or ``"facenet"``.
        weights: as the option of the encoder of that name; None: its default.
        face_box: x0, y0, side of the ArcFace template's square in the images; ``"auto"``: the dataset's; None: the
            network sees all of them.

    Raises:
        ZooError: an unknown space, or no such box.
    """

    def __init__(
        self, space: str = "arcface", weights: str | None = None, face_box: Sequence[float] | str | None = AUTO
    ) -> None:
        if space not in FACE_SPACES:
            raise ZooError(f"space={space}: unknown, or none of faces; expected one of {', '.join(FACE_SPACES)}")
        self._face = EncoderSpace(space, weights, face_box)
        super().__init__()

    def names(self) -> dict[str, bool | None]:
        return {f"identity_{self._face.space}": True}

    def locate_faces(self, find: Callable[[], Box | None]) -> None:
        self._face.locate_faces(find)

    def weights_sha(self) -> str | None:
        return self._face.weights_sha()

    def load(self, device: str) -> None:
        self._face.load(device)

    def measure(self, pred: Tensor, truth: Tensor) -> dict[str, Tensor]:
        return {f"identity_{self._face.space}": F.cosine_similarity(self._face(pred), self._face(truth))}
