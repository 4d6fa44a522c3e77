"""Photos to try the page with: a public-domain portrait and painted faces. All are made here; none is fetched."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from zoo.app.display import grey

_PAINTED = 4
_PAINTED_SIZE = 192
_HEAD = (slice(0, 240), slice(104, 344))  # of NASA's 512×512 portrait of the astronaut Eileen Collins


def write_examples(folder: Path) -> list[Path]:
    """Grey PNG files in ``folder``, in the order in which to show them."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, rgb in _pictures().items():
        path = folder / f"{name}.png"
        Image.fromarray(grey(rgb)).save(path)
        paths.append(path)
    return paths


def _pictures() -> dict[str, np.ndarray]:
    """Name → (H, W, 3) uint8 sRGB."""
    from skimage.data import astronaut

    from zoo.registry import datasets

    portrait = astronaut()
    faces = datasets.create("synthetic", n_test=_PAINTED, size=_PAINTED_SIZE)
    painted = {f"painted-{i}": faces.load(key) for i, key in enumerate(faces.keys("test"), start=1)}
    return {"astronaut": np.ascontiguousarray(portrait[_HEAD]), "portrait": portrait, **painted}
