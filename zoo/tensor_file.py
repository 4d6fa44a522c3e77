"""Safetensors files of this project: tensors, and plain values about them. Reading one executes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from zoo.errors import ZooError
from zoo.files import replacing

FORMAT = "face-colour-zoo"  # of model files
FORMAT_VERSION = "2"
READABLE_VERSIONS = ("1", FORMAT_VERSION)
# Model files that are part of the package: for faces and, if it is another, for what lies around them
BUNDLED = tuple(Path(__file__).parent / "bundled" / name for name in ("faces128.safetensors", "scenes128.safetensors"))
MODEL = "model.safetensors"  # a model file in the folder of a run, and in a repository of the Hub
_RENAMED = {"enter": "conv_in", "leave": "conv_out", "shrink": "downsample", "grow": "upsample"}  # since version 1
_LONGEST_TEXT, _LARGEST_NUMBER, _MOST_VALUES, _DEEPEST = 1000, 10**6, 1000, 12  # of anything that `plain` believes


@dataclass(frozen=True)
class Header:
    """What a file tells before any tensor of it is read.

    Attributes:
        metadata: names → text.
        shapes: of its tensors.
    """

    metadata: dict[str, str]
    shapes: dict[str, tuple[int, ...]]


def write(path: Path, state: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write one file, atomically. The same content gives the same bytes where ``metadata`` has one entry."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    with replacing(path) as temporary:
        save_file(tensors, temporary, dict(metadata))


def read_header(path: Path, what: str) -> Header:
    """Raises `ZooError` that begins with ``what`` where ``path`` is no safetensors file."""
    try:
        with safe_open(path, "pt") as file:
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
            return Header(file.metadata() or {}, shapes)
    except (SafetensorError, OSError) as error:
        raise ZooError(f"{what} is not a readable safetensors file ({error})") from error


def read_tensors(path: Path, what: str) -> dict[str, Tensor]:
    """All of them, on the CPU. Raises `ZooError` that begins with ``what`` where they cannot be read or are not finite
    numbers."""
    try:
        with safe_open(path, "pt") as file:
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a dict
    except (SafetensorError, OSError) as error:
        raise ZooError(f"{what} is not a readable safetensors file ({error})") from error
    for name, tensor in state.items():
        if not tensor.isfinite().all():
            raise ZooError(f"{what} holds numbers that are not finite, in {name[:100]!r}: it is damaged")
    return state


def same(one: Path, other: Path) -> bool:
    """Whether two files hold the same; their bytes may differ all the same, in the order of the metadata."""
    try:
        if read_header(one, "") != read_header(other, ""):
            return False
        first, second = read_tensors(one, ""), read_tensors(other, "")
    except ZooError:
        return False
    return all(tensor.dtype == second[name].dtype and tensor.equal(second[name]) for name, tensor in first.items())


def current_names(names: Iterable[str], modules: tuple[str, ...]) -> dict[str, str]:
    """What files of version 1 call tensors → what they are called now, for those below ``modules``."""
    return {name: _current(name, modules) for name in names}


def _current(name: str, modules: tuple[str, ...]) -> str:
    module, _, rest = name.partition(".")
    first, dot, rest = rest.partition(".")
    return f"{module}.{_RENAMED.get(first, first)}{dot}{rest}" if module in modules else name


def plain(text: str) -> Any:
    """JSON of a size and depth that a person could have written, without numbers that are none.

    Raises:
        ValueError: it is something else; the text says what.
    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if _count(value, 0) > _MOST_VALUES:
        raise ValueError("it holds too many values")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _count(value: Any, depth: int) -> int:
    if depth > _DEEPEST:
        raise ValueError("it is nested too deeply")
    if isinstance(value, dict):
        return sum(_count(key, depth + 1) + _count(item, depth + 1) for key, item in value.items())
    if isinstance(value, list):
        return sum(_count(item, depth + 1) for item in value)
    if isinstance(value, str) and len(value) > _LONGEST_TEXT:
        raise ValueError(f"it holds a text of {len(value)} characters")
    if isinstance(value, int | float) and not abs(value) <= 2**63:
        raise ValueError("it holds a number that is too large")
    return 1


def implausible(options: Mapping[str, Any]) -> str:
    """Why ``options`` of a network cannot be meant, or "". Their tensors are compared elsewhere; this is about what
    would take long, or much memory, before there are any."""
    for name, value in options.items():
        for number in value if isinstance(value, list) else [value]:
            if isinstance(number, int | float) and abs(number) > _LARGEST_NUMBER:
                return f"{name[:100]}={number} is too large"
    return ""
