"""Networks as they are after training: no weight is zero any more, so that every path matters."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor, nn

M = TypeVar("M", bound=nn.Module)


def opened(module: M, *, std: float = 0.1, seed: int = 9) -> M:
    """Put small noise where weights and biases are zero, also in those that rest (nulls, norms)."""
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_((parameter == 0) * std * torch.randn(parameter.shape, generator=rng))
    return module


def normal(*shape: int, seed: int = 0) -> Tensor:
    """Standard normal numbers that depend on ``seed`` alone."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def silent_channels(module: nn.Module) -> list[str]:
    """Output channels ``layer.weight[i]`` whose gradient is zero, or no more than rounding beside the layer's others.

    Whole layers without any gradient are named, too.
    """
    found = []
    for name, parameter in module.named_parameters():
        if parameter.grad is None:
            found.append(name)
            continue
        each = parameter.grad.flatten(1).norm(dim=1) if parameter.dim() > 1 else parameter.grad.abs()
        for i in torch.nonzero(each <= 1e-8 * each.max()).flatten().tolist():
            found.append(f"{name}[{i}]")
    return found
