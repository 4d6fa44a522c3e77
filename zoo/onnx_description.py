"""model.json, which lies beside ONNX graphs: read, and held to what it can be."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from zoo import tensor_file
from zoo.errors import ZooError
from zoo.tensor_file import FORMAT, FORMAT_VERSION


def read(path: Path) -> dict[str, Any]:
    """What it says. Raises `ZooError`: missing, of another version, or damaged."""
    try:
        about = tensor_file.plain(path.read_text(encoding="utf-8"))
        found = (about["format"], about["version"])
    except OSError as error:
        raise ZooError(f"{path} does not exist; expected a folder written by python -m zoo export") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ZooError(f"{path} cannot be read ({line(error)})") from error
    if found != (FORMAT, FORMAT_VERSION):
        wrote = " version ".join(str(each)[:40] for each in found)
        raise ZooError(f"{path} is of {wrote}; this reads {FORMAT} version {FORMAT_VERSION}")
    odd = next((name for name, fits in _FITS.items() if not fits(about.get(name))), None)
    if odd is not None:
        raise ZooError(f"{path}: its spec cannot be read ({odd} is of another kind)")
    return about


def line(error: BaseException) -> str:
    """An error of somebody else's, in a part of a line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:200]


def _size(value: Any) -> bool:
    return type(value) is int and 0 < value <= 4096


def _numbers(value: Any, count: int) -> bool:
    if not isinstance(value, list) or len(value) != count:
        return False
    return all(isinstance(number, int | float) and math.isfinite(number) for number in value)


# what each entry of model.json has to be
_FITS: dict[str, Callable[[Any], bool]] = {
    "spec": lambda value: isinstance(value, dict) and _size(value.get("image_size")),
    "uses_encoder": lambda value: isinstance(value, bool),
    "parameters": lambda value: isinstance(value, dict) and all(type(count) is int for count in value.values()),
    "license": lambda value: value is None or isinstance(value, str),
    "encoder_input_size": lambda value: value is None or _size(value),
    "encoder_frame": lambda value: value is None or _numbers(value, 3),
    "face_box": lambda value: value is None or _numbers(value, 3),
    "chroma_scale": lambda value: value is None or _size(value),  # older ones have it in the spec
    "ab_mean": lambda value: _numbers(value, 2),
    "ab_std": lambda value: _numbers(value, 2),
}
