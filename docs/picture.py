"""Makes docs/colours.png, the picture at the top of the README: python docs/picture.py"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image
from skimage.data import astronaut

sys.path.insert(0, str(Path(__file__).parents[1]))

from zoo import Colorizer
from zoo.photos.image_grid import grey, image_grid
from zoo.registry import datasets

SIDE = 192


def main() -> None:
    """Grey, the colouring to be trusted, one of those that may be, and the truth, of a real portrait and two painted
    faces."""
    painted = datasets.create("synthetic", n_train=1, n_val=1, n_test=8, size=SIDE)
    faces = [painted.load(key) for key in painted.keys("test")[:2]]
    portrait = Image.fromarray(astronaut()).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    photos = [np.asarray(portrait), *faces]
    colorizer = Colorizer.load()
    shown = [colorizer.colorize(photos, vivid=vivid) for vivid in (False, True)]
    cells = [cell for photo, *pair in zip(photos, *shown, strict=True) for cell in (grey(photo), *pair, photo)]
    titles = ["grey", "coloured", "vivid", "truth"]
    picture = image_grid(cells, [*titles, *[""] * (len(cells) - len(titles))], columns=4)
    picture.save(Path(__file__).with_name("colours.png"), optimize=True)


if __name__ == "__main__":
    main()
