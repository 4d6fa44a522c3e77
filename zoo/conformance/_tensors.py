"""Looks at tensors and modules that several contracts share."""

from __future__ import annotations

import io
import random
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from zoo.conformance.checks import Broken, Moot, demand

M = TypeVar("M", bound=nn.Module)
ABSURD = 1e4


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def lightness(n: int, height: int, width: int, seed: int = 0) -> Tensor:
    """L (n, 1, height, width), uniform in [-1, 1]."""
    return torch.rand(n, 1, height, width, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def seeded(build: Callable[[], M], seed: int = 0) -> M:
    """Built under a seed, without a trace in the random numbers of the process."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build()


def demand_unobtrusive(run: Callable[[], object]) -> None:
    """``run`` prints nothing, and sets no seed of the process: random numbers after it depend on those before."""
    told, after = io.StringIO(), []
    before = random.getstate(), np.random.get_state()
    with (
        torch.random.fork_rng(devices=[]),
        redirect_stdout(told),
        redirect_stderr(told),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # that is how it may tell something
        for seed in (1, 2):
            random.seed(seed)
            np.random.seed(seed)
            torch.manual_seed(seed)
            run()
            after.append((random.random(), np.random.random(), torch.rand(()).item()))
    random.setstate(before[0])
    np.random.set_state(before[1])
    demand(not told.getvalue(), f"it prints {' '.join(told.getvalue().split())[:60]!r}; raise or warn instead")
    stuck = [name for name, a, b in zip(("random", "numpy.random", "torch"), *after) if a == b]
    demand(not stuck, f"it sets the seed of {_first(stuck)} for the whole process; draw from a generator of its own")


def demand_equal(found: Sequence[Tensor], expected: Sequence[Tensor], otherwise: str, *, exactly: bool = False) -> None:
    """Raises `Broken` where tensors differ: at all, or by more than rounding."""
    rtol, atol = (0.0, 0.0) if exactly else (1e-3, 1e-4)
    demand(len(found) == len(expected), f"{otherwise}: {len(found)} tensors, not {len(expected)}")
    for a, b in zip(found, expected, strict=True):
        demand(a.shape == b.shape, f"{otherwise}: shapes {tuple(a.shape)} and {tuple(b.shape)}")
        if not torch.allclose(a, b, rtol=rtol, atol=atol):
            raise Broken(f"{otherwise}: they differ by up to {(a - b).abs().max().item():.3g}")


def demand_plausible(tensors: Sequence[Tensor], what: str) -> None:
    """float32, finite, and of a size that a network can start from."""
    for x in tensors:
        demand(x.dtype == torch.float32, f"{what} are {x.dtype}, not float32")
        demand(bool(x.isfinite().all()), f"{what} are not all finite")
        largest = x.abs().max().item() if x.numel() else 0.0
        demand(largest < ABSURD, f"{what} reach {largest:.3g}; normalise them")


def demand_trained(module: nn.Module) -> None:
    """After a backward pass every parameter has a finite gradient."""
    idle = [name for name, p in module.named_parameters() if p.requires_grad and p.grad is None]
    demand(not idle, f"no gradient reaches {_first(idle)}")
    wild = [n for n, p in module.named_parameters() if p.grad is not None and not p.grad.isfinite().all()]
    demand(not wild, f"the gradient is not finite at {_first(wild)}")


def elsewhere() -> str:
    """A device that is not the CPU: "meta", which only computes shapes, is there always."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "meta"


def demand_moved(module: nn.Module, run: Callable[[str], Sequence[Tensor]]) -> str:
    """``run(device)`` stays on the device that ``module`` was moved to; says which one that was."""
    device = elsewhere()
    module.to(device)
    mend = "register tensors as buffers, they then follow .to()"
    try:
        found = run(device)
    except RuntimeError as error:
        told = str(error).splitlines()[0]
        if "same device" in told:
            raise Broken(f"on {device}: {told}; {mend}") from error
        plain = [name for part in module.modules() for name, x in vars(part).items() if isinstance(x, Tensor)]
        demand(not plain, f"{_first(plain)} would stay behind; {mend}")
        raise Moot(f"cannot be run on {device} ({told}); it keeps no tensors that would stay behind") from error
    stayed = [x.device.type for x in found if x.device.type != device]
    demand(not stayed, f"what comes out is on {_first(stayed)}, not on {device}; {mend}")
    return f"moved to {device}"


def milliseconds(run: Callable[[], object], *, repeats: int = 3) -> float:
    """The least of a few, after one that does not count."""
    run()
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        run()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        times.append(time.perf_counter() - started)
    return 1000 * min(times)


def open_zeros(module: nn.Module) -> None:
    """Give every weight that starts at zero a value, as training would."""
    rng = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_((parameter == 0) * 0.1 * torch.randn(parameter.shape, generator=rng))


def _first(names: list[str]) -> str:
    return f"{names[0]} and {len(names) - 1} more" if len(names) > 1 else "".join(names)
