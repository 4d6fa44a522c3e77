"""Embeddings of colour images, by the networks of the encoders ``arcface``, ``facenet`` and ``dino``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from zoo.encoders import arcface, dino, facenet
from zoo.errors import ZooError
from zoo.faces.framing import WHOLE, Box, crop
from zoo.registry import encoders
from zoo.weights import known_sha

FACE_SPACES = ("arcface", "facenet")
ENCODER_SPACES = (*FACE_SPACES, "dino")
AUTO = "auto"


class EncoderSpace:
    """sRGB (N, 3, H, W) in [0, 1] → embeddings (N, D), as the network gives them, of any length.

    The encoders themselves see L alone, which colouring and truth share; this sends colour through their networks.

    Args:
        space: one of `ENCODER_SPACES`.
        weights: as the encoder's option; None: its default.
        face_box: x0, y0, side of the ArcFace template's square in the images, see `zoo.faces.framing`; ``"auto"``: the
            dataset's, of which `locate_faces` hears; None, or where that is not known: the network sees the whole
            image.
    """

    def __init__(self, space: str, weights: str | None = None, face_box: Sequence[float] | str | None = AUTO) -> None:
        if space not in ENCODER_SPACES:
            raise ZooError(f"space={space}: unknown; expected one of {', '.join(ENCODER_SPACES)}")
        self.space, self.weights = space, weights
        self.face_box, self._auto = _parsed(face_box), face_box == AUTO

    def locate_faces(self, find: Callable[[], Box | None]) -> None:
        """Ask ``find`` for the dataset's face box if it is wanted, before `load`."""
        if self._auto and self.space in FACE_SPACES:
            self.face_box = find()

    def weights_sha(self) -> str | None:
        """See `zoo.metrics.Metric`."""
        records = {"arcface": arcface.RECORDS, "facenet": facenet.RECORDS}.get(self.space, {})
        name = self.weights or next(iter(records), None)  # the first is the default
        if name in records:
            return records[name].sha
        file = dino.published() if name is None else name
        return None if file is None else known_sha(file, *records.values())

    def load(self, device: str) -> None:
        """Load the network onto ``device``.

        Raises:
            WeightsNotFoundError: they cannot be had.
            ZooError: they are others.
        """
        options = {} if self.weights is None else {"weights": self.weights}
        encoder: Any = encoders.create(self.space, frozen=True, **options)
        self._encoder, self._device = encoder.to(device), device
        self._view = WHOLE if self.face_box is None else self.face_box.of(encoder.frame or WHOLE)

    @property
    def identity(self) -> str:
        """Of the loaded network and what it sees; see `zoo.metrics.Extractor`."""
        encoder = self._encoder
        return f"{self.space}, version 1.{encoder.version}, {encoder.weights_sha}, {tuple(self._view)}"

    @torch.no_grad()
    def __call__(self, rgb: Tensor) -> Tensor:
        return self._encoder.embed_rgb(crop(rgb.to(self._device), self._view, self._encoder.spec.input_size))


def _parsed(face_box: Sequence[float] | str | None) -> Box | None:
    if face_box is None or face_box == AUTO:
        return None
    if isinstance(face_box, str) or len(face_box) != 3 or face_box[2] <= 0:
        shown = face_box if isinstance(face_box, str) else list(face_box)
        raise ZooError(f"face_box={shown}: expected auto, or x0, y0 and a positive side, in fractions of the image")
    return Box(*face_box)
