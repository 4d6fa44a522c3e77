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

_NAMED = 3  # differences in a message
_INSTEAD = "so ask for what it has, name another model, or train a new one without init (nor a preset that has it)"
_REGISTRIES: Mapping[str, Registry[Any]] = {"encoder": encoders, "cond": conditioners, "denoiser": denoisers}


def start_from(model: ColorDiffusion, source: str | Path) -> None:
    """Give an untrained ``model`` the weights of another, to be trained on.

    One that takes hints may go on from one that does not: it says the same until it has learned what they mean.

    Args:
        source: a model file, the folder of a run, or "bundled": the model for faces that comes with the package.

    Raises:
        ZooError: it cannot be read, or is another network: the text names what differs.
    """
    try:
        path = start_file(source)
        other = checkpoint.load(path)
    except ZooError as error:
        raise ZooError(f"init={source}: {error}") from error
    _demand_same_names(model.spec, other.spec, source)
    built_in = denoisers.source_sha(model.spec["denoiser"].get("name", "unet")) is None  # whose layers are known
    learns_hints = model.hints and not other.hints and built_in
    differing = []
    for part in _REGISTRIES:
        asked, found = (_options_in_full(part, m.spec[part]) for m in (model, other))
        for key in sorted({*asked, *found}):
            own = key == "weights" or (part == "denoiser" and key == "hints" and learns_hints)
            if not own and asked.get(key) != found.get(key):
                differing.append(f"{part}.{key}={found.get(key)}, but {asked.get(key)} is asked for")
    if differing:
        more = f"; and {len(differing) - _NAMED} more" if len(differing) > _NAMED else ""
        told = "; ".join(differing[:_NAMED])
        raise ZooError(f"init={source} has {told}{more}: only the same network can go on from it, {_INSTEAD}")
    if (model.diffusion.parameterisation, model.diffusion.schedule) != (
        other.diffusion.parameterisation,
        other.diffusion.schedule,
    ):
        raise ZooError(
            f"init={source} says {other.diffusion.parameterisation} on another schedule than is asked for, {_INSTEAD}"
        )
    state = other.state_dict()
    if learns_hints:
        state[f"denoiser.{CONV_IN}"] = with_hints(state[f"denoiser.{CONV_IN}"], model.denoiser.chroma_scale)
    model.load_state_dict(state)
    model.started_from = sha256_file(path)


def check_names(spec: Mapping[str, Any], source: str | Path) -> None:
    """Hold the names of a network's parts against those of a model file before their options, which are for others.

    Args:
        spec: its ``encoder``, ``cond`` and ``denoiser``.
        source: as of `start_from`.

    Raises:
        ZooError: the file cannot be read, or others are in it: the text names all.
    """
    try:
        header = checkpoint.read_header(start_file(source))
        found = json.loads(header.metadata["spec"])
        for part in _REGISTRIES:
            _name(found, part)
    except ZooError as error:
        raise ZooError(f"init={source}: {error}") from error
    except (KeyError, ValueError, AttributeError):
        return  # damaged: whoever loads it tells why
    _demand_same_names(spec, found, source)


def _demand_same_names(asked: Mapping[str, Any], found: Mapping[str, Any], source: str | Path) -> None:
    parts = [part for part in _REGISTRIES if _name(asked, part) != _name(found, part)]
    if parts:
        has, wanted = (" ".join(f"{part}={_name(spec, part)}" for part in parts) for spec in (found, asked))
        raise ZooError(
            f"init={source} has {has}, but {wanted} is asked for: only the same network can go on from it, {_INSTEAD}"
        )


def _name(spec: Mapping[str, Any], part: str) -> str:
    """Of a sum of conditioners those of its parts."""
    parts = spec[part].get("parts")
    return "+".join(parts) if parts else str(spec[part].get("name", "unet"))


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
