"""A greyscale encoder that was pretrained here, as one safetensors file: tensors, and a record of how they came."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from zoo import tensor_file
from zoo.errors import ZooError
from zoo.weights import local_file

_FORMAT = "face-colour-zoo greyscale autoencoder"
_VERSION = 2
_MODULES = ("encoder", "decoder")


def write(path: Path, state: Mapping[str, Tensor], record: Mapping[str, Any]) -> None:
    """Write ``state`` and ``record`` (plain values), atomically. The same content gives the same bytes."""
    tensor_file.write(path, state, {_FORMAT: json.dumps({"version": _VERSION, **record}, sort_keys=True)})


def read(path: str | Path, option: str = "weights") -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and record of a file that `write` wrote. Raises `ZooError` naming ``option`` for any other."""
    what = f"{option}={path}"
    found = local_file(path, option)
    header = tensor_file.read_header(found, what)
    try:
        record = tensor_file.plain(header.metadata.get(_FORMAT, "null"))
    except ValueError as error:
        raise ZooError(f"{what}: its record cannot be read ({error})") from error
    if not isinstance(record, dict):
        raise ZooError(f"{what}: not an encoder that pretraining wrote")
    version = record.pop("version", None)
    if version not in (1, _VERSION):
        raise ZooError(f"{what}: of another version of this project; pretrain it again")
    state = tensor_file.read_tensors(found, what)
    if version == 1:
        names = tensor_file.current_names(state, _MODULES)
        state = {names[name]: tensor for name, tensor in state.items()}
    return state, record
