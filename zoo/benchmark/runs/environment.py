"""What a run ran on."""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from zoo.errors import ZooError

ROOT = Path(__file__).parents[3]
_CLEAR_REFS, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")
_PACKAGES = ("torch", "torchvision", "numpy", "accelerate", "timm", "facenet-pytorch", "onnx2torch", "kornia", "lpips")


def describe(device: str) -> dict[str, Any]:
    """Python, packages, hardware and the state of the code."""
    return {
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "device": device,
        "device_name": device_name(device),
        "cpu": _cpu_name(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "torch_threads": torch.get_num_threads(),
        "cuda": torch.version.cuda,
        "git_sha": git_sha(),
    }


def device_name(device: str) -> str:
    """Name of the processor that did the work."""
    return torch.cuda.get_device_name(device) if device.startswith("cuda") else _cpu_name()


def git_sha() -> str:
    """Commit of this checkout, with ``-dirty`` where it was changed since; empty outside git."""
    sha = _git("rev-parse", "--short=12", "HEAD")
    return f"{sha}-dirty" if sha and _git("status", "--porcelain", "--untracked-files=no") else sha


def reset_peak_memory(device: str) -> None:
    """Measure from now on: the jobs of a sweep follow each other in one process."""
    if device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats(device)
    elif _CLEAR_REFS.exists():
        _CLEAR_REFS.write_text("5")  # proc(5): resets VmHWM to what is in use now


def peak_memory_mb(device: str) -> float:
    """Largest memory since `reset_peak_memory`, in MB (10⁶ bytes): of the GPU's allocations, or of this process."""
    if device.startswith("cuda"):
        return torch.cuda.max_memory_allocated(device) / 1e6
    if _STATUS.exists():
        (line,) = (line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # macOS: in bytes, and never reset
    return peak / 1e6


@contextmanager
def out_of_memory_told(option: str) -> Iterator[None]:
    """Raises `ZooError` naming ``option`` where the memory of a GPU does not suffice for the block."""
    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        raise ZooError(f"out of memory ({error}); lower {option}") from error


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    names = [line for line in info.read_text().splitlines() if line.startswith("model name")] if info.exists() else []
    return names[0].partition(":")[2].strip() if names else platform.processor() or platform.machine()
