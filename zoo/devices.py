"""Which device to compute on."""

from __future__ import annotations

import torch

from zoo.errors import ZooError


def pick_device(name: str) -> str:
    """``"auto"`` → the best device there is; raises `ZooError` if the one that was named is not there."""
    there = ["cpu"]
    if torch.backends.mps.is_available():
        there.insert(0, "mps")
    if torch.cuda.is_available():
        there[:0] = ["cuda", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    if name != "auto" and name not in there:
        raise ZooError(f"device {name!r} is not available here; expected one of auto, {', '.join(there)}")
    return there[0] if name == "auto" else name
