"""Photos coloured from their lightness by a model of ours, once: what is there already is not made again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

import zoo
from zoo.checkpoint import bundled, resolved
from zoo.errors import ZooError
from zoo.files import replacing
from zoo.photos.colorizer import ColorizeOptions, Colorizer
from zoo.photos.photo import Photo
from zoo.weights import sha256_file

_TAG = "made"  # in a picture's metadata: what its colours depend on
_ELSEWHERE = ("app", "benchmark", "commands", "conformance", "evaluation", "training")  # what no colour depends on


@dataclass(frozen=True)
class Maker:
    """Colours photos, and keeps the pictures in ``folder`` if there is one.

    Args:
        identity: of model, options and code: see `maker`.
    """

    colorizer: Colorizer
    options: ColorizeOptions
    identity: str
    folder: Path | None

    def __call__(self, name: str, photo: Photo) -> np.ndarray:
        """The first colouring (H, W, 3) uint8 of ``photo``.

        Raises:
            ZooError: the folder has a picture of that name that was not made of the same photo, by the same model, code
                and options.
        """
        made = hashlib.sha256(self.identity.encode() + photo.rgb.tobytes()).hexdigest()
        path = self.folder / f"{name}.png" if self.folder else None
        if path and path.exists():
            return _kept(path, made)
        (colored,) = self.colorizer.colorize_photos([photo], self.options)
        if path:
            _keep(path, colored.samples[0], made)
        return colored.samples[0]


def maker(source: str | None, device: str, options: ColorizeOptions, folder: Path | None) -> Maker:
    """Raises `ZooError` for a model that cannot be had."""
    colorizer = Colorizer.load(source, device=device)
    files = bundled() if source is None else (resolved(source),)
    told = {"model": [_content(path) for path in files], "options": asdict(options), "code": _code()}
    return Maker(colorizer, options, json.dumps(told, sort_keys=True), folder)


def _code() -> str:
    """A hash of the source that colours depend on."""
    top = Path(zoo.__file__).parent
    paths = sorted(path for path in top.rglob("*.py") if path.relative_to(top).parts[0] not in _ELSEWHERE)
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in paths)).hexdigest()


def _content(path: Path) -> str:
    """A hash of a file, or of all files in a folder."""
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    return hashlib.sha256("".join(map(sha256_file, files)).encode()).hexdigest()


def _keep(path: Path, rgb: np.ndarray, made: str) -> None:
    info = PngInfo()
    info.add_text(_TAG, made)
    with replacing(path) as temporary:
        Image.fromarray(rgb).save(temporary, "PNG", pnginfo=info)


def _kept(path: Path, made: str) -> np.ndarray:
    with Image.open(path) as image:
        if image.info.get(_TAG) != made:
            raise ZooError(f"{path} was coloured otherwise (photo, model, options or code); give --keep another folder")
        return np.array(image.convert("RGB"))
