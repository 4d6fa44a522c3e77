"""What a type checker knows of `zoo.Colorizer`: `make test` checks this file, and nothing runs it.

An ignored error that is none any more is an error, too.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import assert_type

import numpy as np
from PIL import Image
from torch import Tensor

from zoo import Colorizer


def what_comes_back(
    colorizer: Colorizer, picture: Image.Image, array: np.ndarray, tensor: Tensor, place: os.PathLike[str]
) -> None:
    assert_type(Colorizer.load(place), Colorizer)
    assert_type(colorizer.colorize("a.jpg"), Image.Image)
    assert_type(colorizer.colorize(Path("a.jpg"), vivid=True, seed=3), Image.Image)
    assert_type(colorizer.colorize(place, samples=1), Image.Image)
    assert_type(colorizer.colorize(picture, samples=4), list[Image.Image])
    assert_type(colorizer.colorize(array, time_power=None, hints=[(0.5, 0.2, "#a03020"), "1,2,#a03020"]), np.ndarray)
    assert_type(colorizer.colorize(array, samples=4), list[np.ndarray])
    assert_type(colorizer.colorize(tensor, sampler="ddim", sampler_options={"eta": 0.5}), Tensor)
    assert_type(colorizer.colorize(tensor, samples=4), list[Tensor])
    assert_type(colorizer.colorize(["a.jpg", "b.jpg"]), list[Image.Image])
    assert_type(colorizer.colorize([place], samples=4), list[list[Image.Image]])
    assert_type(colorizer.colorize((picture, picture)), list[Image.Image])
    assert_type(colorizer.colorize([array, array]), list[np.ndarray])
    assert_type(colorizer.colorize([tensor], samples=4), list[list[Tensor]])


def what_cannot_be(colorizer: Colorizer, array: np.ndarray, tensor: Tensor) -> None:
    colorizer.colorize(3)  # type: ignore[call-overload]
    colorizer.colorize(array, colour="red")  # type: ignore[call-overload]
    colorizer.colorize(array, steps="5")  # type: ignore[call-overload]
    colorizer.colorize([array, tensor])  # type: ignore[type-var]
