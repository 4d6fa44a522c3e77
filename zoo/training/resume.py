"""The checkpoint from which a training that was stopped goes on. A damaged one is refused, and never half believed."""

from __future__ import annotations

import json
import math
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zoo.errors import ZooError
from zoo.files import replacing

CHECKPOINT = "checkpoint.pt"
_CHECKSUM = "crc32"  # of all that a checkpoint says
_MOMENTS = ("exp_avg", "exp_avg_sq")  # of Adam, for each parameter


class _Damaged(Exception):
    """The text says in what way."""


def write(path: Path, state: Mapping[str, Any]) -> None:
    """Write ``state``, tensors and plain values, in place of the last checkpoint.

    Raises:
        ZooError: it cannot be written; the last one is then still there.
    """
    try:
        with replacing(path) as temporary:
            torch.save({**state, _CHECKSUM: _checksum(state)}, temporary)
    except (OSError, RuntimeError) as error:  # torch says RuntimeError where the disk is full
        reason = str(error).splitlines()[0]
        raise ZooError(
            f"cannot write the checkpoint {path} ({reason}): is the disk full, or the folder read-only? "
            "Mend that and start again: training goes on from the last checkpoint"
        ) from error


def read(path: Path, like: Mapping[str, Any], device: torch.device) -> dict[str, Any]:
    """What `write` wrote.

    Args:
        like: the state of the same training before its first step.
        device: where the tensors go.

    Raises:
        ZooError: it is damaged, or of a run with other settings.
    """
    try:
        _check_archive(path)
        state = torch.load(path, map_location=device, weights_only=True)
        _demand(isinstance(state, dict) and isinstance(state.get("identity"), str), "parts are missing")
    except Exception as error:  # each way of being damaged has its own exception type
        raise _refusal(path, error) from error
    if state["identity"] != like["identity"]:
        raise ZooError(
            f"{path} belongs to a run with other settings{_only_budget(state, like)}; use another folder or delete it"
        )
    try:
        _demand(state.keys() == {*like, _CHECKSUM}, "parts are missing")
        _check_counts(state)
        for part in ("model", "ema"):
            _check_tensors(state[part], like[part])
        _check_optimizer(state, like, list(like["ema"].values()))
        if "watch" in like:
            _check_watch(state)
        whole = {name: part for name, part in state.items() if name != _CHECKSUM}
        _demand(_checksum(whole) == state[_CHECKSUM], "the checksum of what it says does not fit")
    except Exception as error:
        raise _refusal(path, error) from error
    return state


def spent(path: Path) -> tuple[int, float] | None:
    """The steps and seconds of training that lie behind a checkpoint; the rest is not read. None: there is no sound
    one."""
    try:
        state = torch.load(path, map_location="cpu", mmap=True, weights_only=True)
        return int(state["step"]), float(state["elapsed"])
    except Exception:  # each way of not being there, or damaged, has its own exception type; `read` says which
        return None


def _only_budget(state: Mapping[str, Any], like: Mapping[str, Any]) -> str:
    """Says so, where that is all in which they differ."""
    found, asked = (json.loads(one["identity"]) for one in (state, like))
    budgets = [one[2] | {"steps": None, "seconds": None} for one in (found, asked)]
    if [*found[:2], budgets[0], *found[3:]] != [*asked[:2], budgets[1], *asked[3:]]:
        return ""
    return " (another budget, over which the learning rate fell: with schedule=constant a longer one would go on)"


def _refusal(path: Path, error: Exception) -> ZooError:
    reason = (str(error).splitlines() or [""])[0][:200] or type(error).__name__
    return ZooError(f"{path} is not a readable checkpoint ({reason}); delete it to train from the start")


def _demand(kept: bool, otherwise: str) -> None:
    if not kept:
        raise _Damaged(otherwise)


def _checksum(value: Any, before: int = 0) -> int:
    """CRC-32 over names, numbers and tensors: a damaged directory of the archive can lead torch to other bytes than
    those whose checksums fit."""
    if isinstance(value, Tensor):
        content = value.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
        return zlib.crc32(content.numpy().data, zlib.crc32(f"{value.dtype} {tuple(value.shape)}".encode(), before))
    if isinstance(value, Mapping):
        for name, part in value.items():
            before = _checksum(part, zlib.crc32(repr(name).encode(), before))
        return before
    return zlib.crc32(repr(value).encode(), before)


def _check_archive(path: Path) -> None:
    """The checksum of each record of the zip archive that torch writes; torch itself does not look at them."""
    with zipfile.ZipFile(path) as archive:
        broken = archive.testzip()
    _demand(broken is None, f"the checksum of {broken} does not fit")


def _check_counts(state: Mapping[str, Any]) -> None:
    for name in ("step", "ema_updates"):
        count = state[name]
        _demand(type(count) is int and count >= 0, f"{name} is {count!r}")
    elapsed = state["elapsed"]
    _demand(isinstance(elapsed, int | float) and 0 <= elapsed < math.inf, f"elapsed is {elapsed!r}")


def _check_tensors(found: Mapping[str, Tensor], like: Mapping[str, Tensor]) -> None:
    _demand(found.keys() == like.keys(), "it holds other tensors than the model")
    for name, tensor in found.items():
        _check_tensor(name, tensor, like[name])


def _check_tensor(name: str, tensor: Tensor, like: Tensor) -> None:
    same = tensor.shape == like.shape and tensor.dtype == like.dtype
    _demand(same, f"{name} is of shape {tuple(tensor.shape)}, {tensor.dtype}")
    _demand(bool(tensor.isfinite().all()), f"{name} is not finite")


def _check_watch(state: Mapping[str, Any]) -> None:
    watch = state["watch"]
    step, waited, loss = watch["step"], watch["waited"], watch["loss"]
    _demand(type(waited) is int and waited >= 0, f"waited is {waited!r}")
    _demand(step is None or (type(step) is int and 0 < step <= state["step"]), f"the best step is {step!r}")
    _demand(type(loss) is float and not math.isnan(loss), f"the best loss is {loss!r}")
    if watch["average"]:
        _check_tensors(watch["average"], state["ema"])


def _check_optimizer(state: Mapping[str, Any], like: Mapping[str, Any], parameters: Sequence[Tensor]) -> None:
    found, wanted = state["optimizer"], like["optimizer"]
    groups = [group["params"] for group in found["param_groups"]]
    _demand(groups == [group["params"] for group in wanted["param_groups"]], "the optimiser has other parameters")
    for i, moments in found["state"].items():
        for name in _MOMENTS:
            _check_tensor(f"the optimiser's {name} of parameter {i}", moments[name], parameters[i])
        step = float(moments["step"])
        _demand(0 <= step <= state["step"], f"the optimiser's step of parameter {i} is {step}")
    for group in found["param_groups"]:
        numbers = [group["lr"], group["weight_decay"], group["eps"], *group["betas"]]
        _demand(all(math.isfinite(value) for value in numbers), "the optimiser's options are not finite")
