"""A greyscale encoder that was pretrained here, as one safetensors file: tensors, and a record of how they came."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from zoo.errors import ZooError
from zoo.files import replacing
from zoo.weights import local_file

_FORMAT = "face-colour-zoo greyscale autoencoder"
_VERSION = 1


def write(path: Path, state: Mapping[str, Tensor], record: Mapping[str, Any]) -> None:
    """Write ``state`` and ``record`` (plain values), atomically. The same content gives the same bytes."""
    metadata = {_FORMAT: json.dumps({"version": _VERSION, **record}, sort_keys=True)}  # safetensors shuffles its keys
    with replacing(path) as temporary:
        save_file({k: v.detach().cpu().contiguous() for k, v in state.items()}, temporary, metadata)


def read(path: str | Path, option: str = "encoder.weights") -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and record of a file that `write` wrote. Raises `ZooError` naming ``option`` for any other."""
    found = local_file(path, option)
    try:
        with safe_open(found, "pt") as file:
            metadata = file.metadata() or {}
            state = {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118  # not a dict
        record = json.loads(metadata.get(_FORMAT, "null"))
    except (SafetensorError, OSError, ValueError) as error:
        raise ZooError(f"{option}={path}: not a readable safetensors file ({error})") from error
    if not isinstance(record, dict):
        raise ZooError(f"{option}={path}: not an encoder that benchmarks/pretrain.py wrote")
    if record.pop("version", None) != _VERSION:
        raise ZooError(f"{option}={path}: of another version of this project; pretrain it again")
    return state, record
