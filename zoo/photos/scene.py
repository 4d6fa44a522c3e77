"""A photo taken apart for a model: all of it, and each face in the place where the model was trained to find one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from torch import Tensor

from zoo.color.grey import stored_lightness
from zoo.denoisers import stages
from zoo.faces.detect import Face, fills, find_faces
from zoo.faces.framing import WHOLE, Box
from zoo.faces.viewport import Viewport, lightness, resized, see
from zoo.photos.photo import Photo

if TYPE_CHECKING:
    from zoo.model import ColorDiffusion
    from zoo.onnx import OnnxColorDiffusion

CANVAS = 1024  # pixels of the longer side, at most, at which colourings are put together
_LONGEST = 3  # of a photo's longer side as the model sees it, in units of its image size


class Seen(NamedTuple):
    """One picture for the model."""

    L: Tensor  # (1, 1, h, w), h and w multiples of the coarsest stride
    view: Tensor  # (1, 1, s, s) or L itself: what its encoder sees
    box: Box  # where the view lies in the picture
    face: bool  # the model for faces colours it, not the one for what lies around


@dataclass(frozen=True)
class Scene:
    """What there is to be coloured of a photo.

    Attributes:
        faces: all that were found, largest first.
        viewports: squares of the photo that are coloured apart: of each face, but for one that is the whole photo.
        pictures: the whole photo, then what is seen through each viewport.
        canvas: L (1, 1, h, w) of the photo, no more than 1024 pixels a side.
        key: a hash of the photo's lightness at that size: noise drawn with it is the photo's own.
    """

    photo: Photo
    faces: list[Face]
    viewports: list[Viewport]
    pictures: list[Seen]
    canvas: Tensor
    key: str

    def placed(self, canvas: Tensor) -> list[Viewport]:
        """The viewports in pixels of ``canvas`` (1, 1, h, w), which shows the whole photo."""
        return [viewport.scaled(max(canvas.shape) / max(self.photo.rgb.shape)) for viewport in self.viewports]


@dataclass(frozen=True)
class Sight:
    """How a model sees.

    Args:
        size: side of its training images in pixels.
        stride: its coarsest; sides of pictures are multiples of it.
        face_box: see `ColorDiffusion.face_box`.
        view_size: side of what its encoder sees; None: as the denoiser.
        view_box: where that lies in its training images.
    """

    size: int
    stride: int
    face_box: Box | None
    view_size: int | None
    view_box: Box

    @classmethod
    def of(cls, model: ColorDiffusion | OnnxColorDiffusion) -> Sight:
        frame, face_box = model.encoder.frame, model.face_box
        return cls(
            size=model.image_size,
            stride=stages(model.spec["denoiser"])[-1].stride,
            face_box=face_box,
            view_size=model.encoder.spec.input_size,
            view_box=WHOLE if frame is None or face_box is None else face_box.of(frame),
        )

    def whole(self, rgb: np.ndarray) -> Seen:
        """A photo in which the face may be anywhere: its encoder sees all of it."""
        height, width = rgb.shape[:2]
        scale = min(self.size / min(height, width), _LONGEST * self.size / max(height, width))
        sides = (max(1, round(side * scale / self.stride)) * self.stride for side in (height, width))
        L = lightness(resized(rgb, *sides))
        view = L if self.view_size is None else lightness(resized(rgb, self.view_size, self.view_size))
        return Seen(L, view, WHOLE, face=False)

    def face(self, rgb: np.ndarray) -> Seen:
        """A square photo that frames a face as the training images do."""
        L = lightness(resized(rgb, self.size, self.size))
        return Seen(L, self._view(rgb, Viewport(0j, complex(len(rgb))), L), self.view_box, face=True)

    def through(self, rgb: np.ndarray, viewport: Viewport) -> Seen:
        L = see(rgb, viewport, self.size)
        return Seen(L, self._view(rgb, viewport, L), self.view_box, face=True)

    def _view(self, rgb: np.ndarray, viewport: Viewport, L: Tensor) -> Tensor:
        size = self.view_size or self.size
        if size == self.size and self.view_box == WHOLE:
            return L
        return see(rgb, viewport.of(self.view_box), size)


def look_at(photo: Photo, faces: Sight, around: Sight, *, detect: bool) -> Scene:
    """Take ``photo`` apart for two models: one for faces, which are looked for if ``detect``, and one for all of it.

    A photo that frames a face as the training images do is that face and nothing else.
    """
    height, width = photo.rgb.shape[:2]
    small = reduced(photo.rgb, CANVAS)
    found = find_faces(photo.rgb) if detect else []
    viewports = [face.viewport(faces.face_box) for face in found]
    apart = [viewport for viewport in viewports if not fills(viewport, height, width)]
    whole = faces.face(_square(small)) if len(apart) < len(viewports) else around.whole(small)
    pictures = [whole, *(faces.through(photo.rgb, viewport) for viewport in apart)]
    key = hashlib.sha256(stored_lightness(small).data).hexdigest()
    return Scene(photo, found, apart, pictures, lightness(small), key)


def reduced(rgb: np.ndarray, longest: int) -> np.ndarray:
    """(H, W, 3) uint8, shrunk if need be so that its longer side has at most ``longest`` pixels."""
    height, width = rgb.shape[:2]
    scale = longest / max(height, width)
    return rgb if scale >= 1 else resized(rgb, max(1, round(height * scale)), max(1, round(width * scale)))


def _square(rgb: np.ndarray) -> np.ndarray:
    side = max(rgb.shape)
    return rgb if rgb.shape[0] == rgb.shape[1] else resized(rgb, side, side)
