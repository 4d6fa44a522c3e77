"""The model files that the page offers, known by their headers; tensors are read when one is used."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open

from zoo.errors import ZooError
from zoo.tensor_file import BUNDLED, FORMAT, MODEL, READABLE_VERSIONS

if TYPE_CHECKING:
    from zoo.photos.colorizer import Colorizer

RUNS = Path("results/runs")  # where benchmarks/run.py leaves its models, relative to the working directory
_LONGEST_NAME = 100  # characters, of an encoder or conditioning
_LARGEST = 4096  # pixels a side
_KEPT = 2  # models in memory: the one in use and the one before, to go back and forth


OnSkip = Callable[[ZooError], None]


@dataclass(frozen=True)
class Checkpoint:
    """What a model file's header tells.

    Attributes:
        name: the run's folder, or the file's name.
        parameters: stored in the file; those of frozen pretrained encoders are not.
        hints: it can be told colours.
        around: that of another model, for what lies around faces; None: this one is for all of a photo.
    """

    path: Path
    name: str
    encoder: str
    cond: str
    image_size: int
    parameters: int
    hints: bool = False
    around: Checkpoint | None = None

    @classmethod
    def of_package(cls, files: Sequence[Path] = BUNDLED) -> Checkpoint:
        """What comes with the package, one model or two, under one name. Raises `ZooError` as `read`."""
        first, *others = (cls.read(path) for path in files)
        for other in others:
            name, parameters = f"{first.name} + {other.name}", first.parameters + other.parameters
            first = replace(first, name=name, parameters=parameters, hints=first.hints and other.hints, around=other)
        return first

    @classmethod
    def read(cls, path: Path) -> Checkpoint:
        """Raises `ZooError`: missing, not a model file of this project, or of another version."""
        if not path.is_file():
            raise ZooError(f"checkpoint {path} does not exist")
        try:
            with safe_open(path, "np") as file:
                metadata = file.metadata() or {}
                parameters = sum(prod(file.get_slice(key).get_shape()) for key in file.keys())  # noqa: SIM118
            if metadata.get("format") != FORMAT or metadata.get("version") not in READABLE_VERSIONS:
                raise ZooError(f"checkpoint {path} is not a model file of this project, or of another version of it")
            spec = json.loads(metadata["spec"])
            encoder, cond, size = _name(spec["encoder"]), _name(spec["cond"]), spec["image_size"]
            hints = spec.get("denoiser", {}).get("hints") is True
            if not isinstance(size, int) or not 0 < size <= _LARGEST:
                raise TypeError("its image size is none")
        except (SafetensorError, OSError, LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
            if isinstance(error, ZooError):
                raise
            reason = " ".join(str(error).split())[:200]
            raise ZooError(f"checkpoint {path} is not a readable model file ({reason})") from error
        name = path.parent.name if path.stem == "model" else path.stem
        return cls(path, name, encoder, cond, size, parameters, hints)

    def load(self, device: str) -> Colorizer:
        """The model, read again only if the file has changed. Raises `ZooError` as `Colorizer.load`."""
        files = (self.path, *([self.around.path] if self.around else []))
        changed = tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in files)
        return _load(files, changed, device)


def _name(part: Any) -> str:
    name = part["name"]
    if not isinstance(name, str) or len(name) > _LONGEST_NAME or not name.isprintable():
        raise TypeError("a name in it is none")
    return name


@lru_cache(maxsize=_KEPT)
def _load(files: tuple[Path, ...], changed: tuple[int, ...], device: str) -> Colorizer:
    from zoo.photos.colorizer import Colorizer

    return Colorizer.load(None if files == BUNDLED else files[0], device=device)


def _ignore(error: ZooError) -> None:
    pass


def discover(
    named: Iterable[Path] = (), *, bundled: Sequence[Path] = BUNDLED, runs: Path = RUNS, on_skip: OnSkip = _ignore
) -> dict[str, Checkpoint]:
    """Model files by a name of their own: those ``named`` first, then that of the package, then those of runs.

    In a folder what is no model file of this project is passed over; a file that is named must be one.

    Args:
        on_skip: told of each that is passed over.

    Raises:
        ZooError: a named file is none, a named folder holds none, or there is none at all.
    """
    found: dict[tuple[Path, bool], Checkpoint] = {}
    for path in named:
        inside = _in_folder(path, "**/*.safetensors", on_skip) if path.is_dir() else [Checkpoint.read(path)]
        if not inside:
            raise ZooError(f"{path} holds no model file (*.safetensors) of this project")
        found |= {_key(checkpoint): checkpoint for checkpoint in inside}
    for checkpoint in [
        *_of_package(bundled, on_skip),
        *_in_folder(runs, f"*/{MODEL}", on_skip),
    ]:
        found.setdefault(_key(checkpoint), checkpoint)
    if not found:
        raise ZooError("no model file found: give --checkpoints FILE, or train one with python benchmarks/run.py")
    return _by_name(found.values())


def _key(checkpoint: Checkpoint) -> tuple[Path, bool]:
    return checkpoint.path.resolve(), checkpoint.around is None


def _of_package(files: Sequence[Path], on_skip: OnSkip) -> list[Checkpoint]:
    try:
        return [Checkpoint.of_package(files)] if files else []
    except ZooError as error:
        on_skip(error)
        return []


def _in_folder(folder: Path, pattern: str, on_skip: OnSkip) -> list[Checkpoint]:
    found = []
    for path in sorted(folder.glob(pattern)):
        try:
            found.append(Checkpoint.read(path))
        except ZooError as error:  # a half-written or foreign file among others is no reason not to start
            on_skip(error)
    return found


def _by_name(checkpoints: Iterable[Checkpoint]) -> dict[str, Checkpoint]:
    """Their names; the path is added where two have the same."""
    named: dict[str, Checkpoint] = {}
    for checkpoint in checkpoints:
        name = f"{checkpoint.name} · {checkpoint.path}" if checkpoint.name in named else checkpoint.name
        named[name] = checkpoint
    return named
