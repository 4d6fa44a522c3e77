"""How fast photos are coloured by the bundled model: the part of speed.py that is about single photos."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from zoo.benchmark.speed.processes import measured

ROOT = Path(__file__).resolve().parents[3]
LARGE = (4000, 3000)  # 12 megapixels


def bundled_coloring(n: int, side: int = 64) -> Callable[[], object]:
    """Colours ``n`` faces of ``side`` px with the bundled model, as whole photos, after loading."""
    from zoo import Colorizer

    colorizer = Colorizer.load(device="cpu")
    faces = [np.asarray(astronaut((side, side), head=True)) for _ in range(n)]
    return lambda: colorizer.colorize(faces, detect=False)


def one_face() -> tuple[float, float]:
    """Seconds and peak MiB of a process that colours one 64 px face, from its start to the saved file."""
    return _colored(astronaut((64, 64), head=True))


def large_photo() -> tuple[float, float]:
    """The same of a photo of 12 megapixels."""
    return _colored(astronaut(LARGE))


def astronaut(size: tuple[int, int], *, head: bool = False) -> Image.Image:
    """The public-domain portrait that scikit-image carries, or the head alone, enlarged or shrunk to ``size``."""
    from skimage.data import astronaut

    picture = Image.fromarray(astronaut())
    return picture.resize(size, Image.Resampling.LANCZOS, box=(150, 0, 310, 160) if head else None)


def _colored(photo: Image.Image) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "photo.png", Path(folder) / "coloured.png"
        photo.save(source)
        command = [sys.executable, "-m", "zoo", "colorize", "--image-path", str(source), "--output", str(target)]
        return measured(command, cwd=ROOT)
