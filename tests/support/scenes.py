"""Photos with faces in known places, and a model that paints them, for tests of the Colorizer."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from zoo.color.lab import uint8_to_lab
from zoo.diffusion.hints import Known
from zoo.faces.box import TEMPLATE
from zoo.faces.detect import Face
from zoo.faces.framing import WHOLE, Box
from zoo.faces.viewport import Viewport
from zoo.features import Features, FeatureSpec

FACE_AB, REST_AB = (0.2, 0.0), (0.0, 0.2)


@dataclass
class PaintingModel:
    """Paints a face in one colour, whole photos in another, and what it is told; remembers what it was shown."""

    face_box: Box | None = None
    frame: Box | None = None
    input_size: int | None = None
    image_size: int = 32
    hints: bool = True
    seen: list[tuple[int, ...]] = field(default_factory=list)
    views: list[Tensor] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    noise: list[int] = field(default_factory=list)  # seeds
    told: list[Known | None] = field(default_factory=list)

    @property
    def spec(self) -> dict[str, Any]:
        parts: dict[str, Any] = {"encoder": {"name": "none"}, "cond": {"name": "none"}, "diffusion": {}}
        return parts | {"denoiser": {"chroma_scale": 4, "mults": [1, 1]}}

    @property
    def denoiser(self) -> SimpleNamespace:
        return SimpleNamespace(chroma_scale=4)

    @property
    def encoder(self) -> SimpleNamespace:
        return SimpleNamespace(frame=self.frame, spec=FeatureSpec(input_size=self.input_size), license="MIT")

    def encode(self, L: Tensor, box: Box = WHOLE) -> Features:
        self.views.append(L)
        self.boxes.append(box)
        return Features((), None)

    def colorize(
        self,
        L: Tensor,
        features: Features,
        sampler: Any,
        generators: Any,
        callback: Any = None,
        *,
        hints: Known | None = None,
    ) -> Tensor:
        self.told.append(hints)
        self.seen.append(tuple(L.shape))
        self.noise += [int(generator.initial_seed()) for generator in generators]
        ab = torch.tensor(FACE_AB if L.shape[-1] == L.shape[-2] else REST_AB)
        ab = ab[:, None, None].expand(len(L), 2, *L.shape[-2:]).contiguous()
        if hints is not None:
            told, mask = (F.interpolate(part, L.shape[-2:]) for part in hints)
            ab = torch.where(mask > 0, told, ab)
        if callback:
            callback(1, ab)
        return ab


def photo_of(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Smooth, in colour, not black or white anywhere."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(70, 180, (6, 6, 3), np.uint8))
    return np.array(small.resize((width, height), Image.Resampling.BICUBIC))


def face_in(square: Viewport) -> Face:
    points = square.origin + square.edge * (TEMPLATE @ (1, 1j))
    return Face(np.stack([points.real, points.imag], axis=1), (0.0, 0.0, 1.0, 1.0), 1.0)


def put_faces(monkeypatch: pytest.MonkeyPatch, *squares: Viewport) -> None:
    monkeypatch.setattr("zoo.photos.scene.find_faces", lambda photo: [face_in(square) for square in squares])


def ab_of(rgb: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 → (H, W, 2)."""
    return uint8_to_lab(torch.from_numpy(rgb)[None])[1][0].permute(1, 2, 0).numpy()


def lightness_error(before: np.ndarray, after: np.ndarray) -> float:
    """The largest difference of L*, in 0..100."""
    L = [uint8_to_lab(torch.from_numpy(rgb)[None])[0] for rgb in (before, after)]
    return float((L[0] - L[1]).abs().max()) * 50
