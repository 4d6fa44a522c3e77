"""What photos look like while they are sampled."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from torch import Tensor

from zoo.diffusion.samplers import Callback
from zoo.faces.viewport import lightness
from zoo.photos.assemble import assemble
from zoo.photos.composite import paint
from zoo.photos.options import ColorizeOptions
from zoo.photos.photo import Photo
from zoo.photos.scene import Scene, reduced

OnStep = Callable[[int, "list[np.ndarray] | None"], None]

_LONGEST = 256  # pixels of a preview's longer side


class Task(NamedTuple):
    """One draw of one picture of one photo."""

    scene: int
    picture: int
    draw: int


class Previews:
    """Shows of each photo how its first sample comes about, with what is drawn of its faces. What is sampled first is
    remembered until the rest catches up.

    Args:
        scenes: all photos.
        on_step: see `Colorizer.colorize_photos`.
    """

    def __init__(self, scenes: Sequence[Scene], options: ColorizeOptions, on_step: OnStep) -> None:
        self.scenes, self.options, self.on_step = scenes, options, on_step
        self.photos = [Photo.from_array(reduced(scene.photo.rgb, _LONGEST)) for scene in scenes]
        self.canvases = [lightness(photo.rgb) for photo in self.photos]
        self.steps: dict[tuple[int, int], list[Tensor]] = defaultdict(list)  # ab after each, by scene and picture

    def follow(self, tasks: list[Task], *, last: bool) -> Callback:
        """The callback for a batch of ``tasks``; ``last``: when it is done, all are."""

        def callback(step: int, ab: Tensor) -> None:
            for task, now in zip(tasks, ab.cpu().split(1)):
                if task.draw == 0:
                    self.steps[task.scene, task.picture].append(now)
            self.on_step(step if last else 0, [self._show(i, step) for i in range(len(self.scenes))] if last else None)

        return callback

    def _show(self, i: int, step: int) -> np.ndarray:
        scene = self.scenes[i]
        drawn = (self.steps[i, j] for j in range(len(scene.pictures)))
        whole, *faces = (steps[min(step, len(steps)) - 1] for steps in drawn)  # some are done at once
        field = assemble(scene, self.canvases[i], whole, faces, self.options.saturation)
        return paint(self.photos[i], field)
