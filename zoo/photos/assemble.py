"""The parts of a coloured photo put together: what lies around, faces, skin, saturation."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from zoo.photos.composite import chroma, compose
from zoo.photos.scene import Scene
from zoo.photos.skin import find_skin


def assemble(scene: Scene, canvas: Tensor, whole: Tensor, faces: Sequence[Tensor], saturation: float) -> Tensor:
    """The field of chroma over lightness of a photo.

    Args:
        canvas: L (1, 1, H, W) of all of it.
        whole: ab (1, 2, h, w) of all of it.
        faces: ab (1, 2, s, s) of what is seen through each viewport.
        saturation: factor on the chroma; on skin no more of it acts than skin can take.

    Returns:
        (1, 4, H, W), as `compose`.
    """
    field = compose(canvas, whole, list(zip(scene.placed(canvas), faces, strict=True)))
    factor = max(canvas.shape) / max(scene.photo.rgb.shape)
    skin = find_skin(chroma(canvas, field), [face.viewport(None).scaled(factor) for face in scene.faces])
    if skin is None:
        return saturation * field
    return skin.saturation(saturation) * skin.fitted(field)
