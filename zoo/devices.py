"""Which device to compute on."""

from __future__ import annotations

from pathlib import Path

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
        raise ZooError(f"device={name} is not available here; expected one of auto, {', '.join(there)}")
    return there[0] if name == "auto" else name


def knows_bf16(info: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether the processor computes in bfloat16 (AVX-512 bf16, AMX, ARM's); True where nobody can tell."""
    return not info.exists() or "bf16" in info.read_text()
