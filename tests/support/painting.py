"""`facezoo colorize` with a model that paints: what it is asked, what it leaves, what it refuses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import inference
from zoo.photos.colorizer import Colored, ColorizeOptions
from zoo.photos.photo import Photo


class Painter:
    """Colours every photo in one colour: 10·(k + 1) for sample k. Remembers what it was asked."""

    loaded: list[tuple[Any, ...]]
    asked: list[tuple[int, ColorizeOptions]]
    hints = False

    @classmethod
    def load(cls, source: Any = None, *, device: str = "auto", encoder: Any = None) -> Painter:
        cls.loaded.append((source, device, encoder))
        return cls()

    def colorize_photos(
        self, photos: Sequence[Photo], options: ColorizeOptions, *, on_step: Callable | None = None
    ) -> list[Colored]:
        self.asked.append((len(photos), options))
        for step in range(1, options.steps + 1):
            if on_step:
                on_step(step, [np.full((8, 8, 3), 20 * step, np.uint8) for _ in photos])
        return [self._colored(photo, options.samples) for photo in photos]

    @staticmethod
    def _colored(photo: Photo, samples: int) -> Colored:
        colorings = [np.full_like(photo.rgb, 10 * (k + 1)) for k in range(samples)]
        note = "no face found" if photo.rgb.shape[0] == 7 else ""
        return Colored(samples=colorings, faces=[], spread=None, note=note)


def photos(*paths: str, size: tuple[int, int] = (12, 10), rgb: tuple[int, int, int] = (200, 120, 90)) -> None:
    """Image files of ``size`` (W, H)."""
    for path in map(Path, paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, rgb).save(path)


def color(*arguments: str) -> int:
    return inference.main(["--image-path", *arguments])


def files(folder: str = ".") -> set[str]:
    return {path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file()}


def value(path: str) -> int:
    """The red of a picture's first pixel."""
    with Image.open(path) as image:
        return int(np.asarray(image.convert("RGB"))[0, 0, 0])


def refused(capsys: pytest.CaptureFixture[str], said: str, *arguments: str) -> None:
    """Exit code 2, one line that says ``said``, and nothing written."""
    before = {name: Path(name).read_bytes() for name in files()}
    assert color(*arguments) == 2
    told = capsys.readouterr()
    assert told.err.startswith("error: ")
    assert said in told.err
    assert len(told.err.splitlines()) == 1
    assert {name: Path(name).read_bytes() for name in files()} == before
