"""Training that goes on from the weights of another model."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo import checkpoint
from zoo.diffusion.hints import CONV_IN, with_hints
from zoo.errors import ZooError
from zoo.model import ColorDiffusion
from zoo.registry import Registry, conditioners, denoisers, encoders
from zoo.weights import sha256_file

_REGISTRIES: Mapping[str, Registry[Any]] = {"encoder": encoders, "cond": conditioners, "denoiser": denoisers}


def start_from(model: ColorDiffusion, source: str | Path) -> None:
    """Give an untrained ``model`` the weights of another, to be trained on.

    One that takes hints may go on from one that does not: it says the same until it has learned what they mean.

    Args:
        source: a model file, the folder of a run, or "bundled": the model for faces that comes with the package.

    Raises:
        ZooError: it cannot be read, or is another network: the text names the first difference.
    """
    try:
        path = start_file(source)
        other = checkpoint.load(path)
    except ZooError as error:
        raise ZooError(f"init={source}: {error}") from error
    built_in = denoisers.source_sha(model.spec["denoiser"].get("name", "unet")) is None  # whose layers are known
    learns_hints = model.hints and not other.hints and built_in
    for part in _REGISTRIES:
        asked, found = (_options_in_full(part, m.spec[part]) for m in (model, other))
        for key in sorted({*asked, *found}, key=lambda key: (key != "name", key)):
            own = key == "weights" or (part == "denoiser" and key == "hints" and learns_hints)
            if not own and asked.get(key) != found.get(key):
                raise ZooError(
                    f"init: {path} has {part}.{key}={found.get(key)}, but {asked.get(key)} is asked for; "
                    "only the same network can go on from it"
                )
    if (model.diffusion.parameterisation, model.diffusion.schedule) != (
        other.diffusion.parameterisation,
        other.diffusion.schedule,
    ):
        raise ZooError(f"init: {path} says {other.diffusion.parameterisation} on another schedule than is asked for")
    state = other.state_dict()
    if learns_hints:
        state[f"denoiser.{CONV_IN}"] = with_hints(state[f"denoiser.{CONV_IN}"], model.denoiser.chroma_scale)
    model.load_state_dict(state)
    model.started_from = sha256_file(path)


def start_file(source: str | Path) -> Path:
    """The file that `start_from` reads."""
    return checkpoint.bundled()[0] if source == "bundled" else checkpoint.model_file(Path(source).expanduser())


def _options_in_full(part: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """With the defaults of what it names, as plain values."""
    name = options.get("name", "unet")
    parameters = inspect.signature(_REGISTRIES[part].get(name)).parameters.values()
    defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
    plain: dict[str, Any] = json.loads(json.dumps({**defaults, **options, "name": name}, default=str))
    return plain
