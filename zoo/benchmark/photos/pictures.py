"""Which photos are compared, and where each system's pictures of them are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from zoo.benchmark.tables.text_table import few
from zoo.errors import ZooError
from zoo.photos.photo import read_photo
from zoo.reading.folders import is_image_name, walk


def by_stem(folder: Path) -> dict[str, Path]:
    """The image files below ``folder``, by name without suffix, in order.

    Raises:
        ZooError: there is no such folder, it has none, or two files have the same stem.
    """
    if not folder.is_dir():
        raise ZooError(f"folder {folder} does not exist")
    found: dict[str, Path] = {}
    for path in sorted(path for path in walk(folder) if is_image_name(path)):
        if path.stem in found:
            raise ZooError(f"{found[path.stem]} and {path} have the same name; pictures are matched by it")
        found[path.stem] = path
    if not found:
        raise ZooError(f"no photo found in {folder}")
    return found


def chosen(photos: dict[str, Path], limit: int | None) -> dict[str, Path]:
    """``limit`` of ``photos``, spread evenly over their order; all by default."""
    n = len(photos) if limit is None else min(limit, len(photos))
    items = list(photos.items())
    return dict(items[i * len(items) // n] for i in range(n))


def matched(name: str, folder: Path, truths: dict[str, Path], everything: Sequence[str]) -> dict[str, Path]:
    """What system ``name`` made of each photo.

    Args:
        truths: the photos that are compared.
        everything: the names of all photos; what has none of them is superfluous.

    Raises:
        ZooError: pictures are missing or superfluous, or have another size than the photo; they are named.
    """
    outputs = by_stem(folder)
    missing, surplus = truths.keys() - outputs.keys(), outputs.keys() - set(everything)
    if missing or surplus:
        what = [f"no picture of {few([*missing])}"] if missing else []
        what += [f"{few([*surplus])} of no photo"] if surplus else []
        raise ZooError(f"{name}: in {folder} there is {' and '.join(what)}")
    sizes = {stem: (_size(outputs[stem]), _size(path)) for stem, path in truths.items()}
    other = [f"{stem} ({w} × {h}, not {x} × {y})" for stem, ((w, h), (x, y)) in sizes.items() if (w, h) != (x, y)]
    if other:
        raise ZooError(f"{name}: pictures in {folder} have another size than their photos: {few(other)}")
    return {stem: outputs[stem] for stem in truths}


def _size(path: Path) -> tuple[int, int]:
    """Width and height of the picture when it stands upright."""
    height, width, _ = read_photo(path).rgb.shape
    return width, height
