"""How fast photos are coloured by the bundled model: the part of benchmarks/speed.py that is about inference.py."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

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
        command = [sys.executable, "inference.py", "--image-path", str(source), "--output", str(target)]
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        if status or not target.is_file():
            raise RuntimeError(f"{' '.join(command)} ended with status {status}")
    return seconds, usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
