"""The model files that the page offers, known by their headers; tensors are read when one is used."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open

from zoo.errors import ZooError
from zoo.tensor_file import FORMAT, MODEL, READABLE_VERSIONS

if TYPE_CHECKING:
    from zoo.photos.colorizer import Colorizer

BUNDLED = Path(__file__).parents[1] / "bundled"  # model files that are part of the package
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
    """

    path: Path
    name: str
    encoder: str
    cond: str
    image_size: int
    parameters: int
    hints: bool = False

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
        return _load(self.path, self.path.stat().st_mtime_ns if self.path.exists() else 0, device)


def _name(part: Any) -> str:
    name = part["name"]
    if not isinstance(name, str) or len(name) > _LONGEST_NAME or not name.isprintable():
        raise TypeError("a name in it is none")
    return name


@lru_cache(maxsize=_KEPT)
def _load(path: Path, changed: int, device: str) -> Colorizer:
    from zoo.photos.colorizer import Colorizer

    return Colorizer.load(path, device=device)


def _ignore(error: ZooError) -> None:
    pass


def discover(
    named: Iterable[Path] = (), *, bundled: Path = BUNDLED, runs: Path = RUNS, on_skip: OnSkip = _ignore
) -> dict[str, Checkpoint]:
    """Model files by a name of their own: those ``named`` first, then the bundled ones, then those of runs.

    In a folder what is no model file of this project is passed over; a file that is named must be one.

    Args:
        on_skip: told of each that is passed over.

    Raises:
        ZooError: a named file is none, a named folder holds none, or there is none at all.
    """
    found: dict[Path, Checkpoint] = {}
    for path in named:
        inside = _in_folder(path, "**/*.safetensors", on_skip) if path.is_dir() else [Checkpoint.read(path)]
        if not inside:
            raise ZooError(f"{path} holds no model file (*.safetensors) of this project")
        found |= {checkpoint.path.resolve(): checkpoint for checkpoint in inside}
    for checkpoint in [
        *_in_folder(bundled, "*.safetensors", on_skip),
        *_in_folder(runs, f"*/{MODEL}", on_skip),
    ]:
        found.setdefault(checkpoint.path.resolve(), checkpoint)
    if not found:
        raise ZooError("no model file found: give --checkpoints FILE, or train one with python benchmarks/run.py")
    return _by_name(found.values())


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
