"""The network of shift-tolerant LPIPS (Ghildyal & Liu 2022), AlexNet: its weights are inside its package."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from zoo.errors import ZooError
from zoo.metrics._per_image import require_side
from zoo.weights import packaged_sha, sha256_module

LEAST_SIDE = 32


@lru_cache(maxsize=1)
def load_st_lpips(device: str) -> Any:
    """stlpips-pytorch's metric network on ``device``. Raises `ZooError` where the extra ``stlpips`` is missing."""
    try:
        from stlpips_pytorch.stlpips import LPIPS
    except ImportError as error:
        raise ZooError(f"{error}: needs an extra; pip install 'face-colour-zoo[stlpips]'") from error
    net = LPIPS(net="alex", variant="shift_tolerant", verbose=False)
    net.net.forward = _recalling(net.net.forward)
    return net.eval().requires_grad_(False).to(device)


def st_lpips_sha() -> str | None:
    """Of what `load_st_lpips` will read; see `zoo.metrics.Metric.weights_sha`."""
    return packaged_sha("stlpips_pytorch", "weights/vST0.0/alex_shift_tolerant.pth")


def _recalling(forward: Callable[[Tensor], Any]) -> Callable[[Tensor], Any]:
    """``forward``, but asked the same twice in a row it does not compute it again: of a batch of colourings both the
    metric st_lpips and the space of that name in fd want the activations, and they take most of the time of both."""
    asked, answer = torch.empty(0), None

    def recall(x: Tensor) -> Any:
        nonlocal asked, answer
        if asked.device != x.device or not torch.equal(asked, x):
            asked, answer = x.clone(), forward(x)
        return answer

    return recall


def pooled_activations(net: Any, rgb: Tensor) -> Tensor:
    """Means over the image of all channels of all five AlexNet layers after their ReLU, not normalised.

    Args:
        rgb: (N, 3, H, W) in [0, 1], taken at its own size.

    Returns:
        (N, 64 + 192 + 384 + 256 + 256 = 1152).
    """
    layers = net.net(net.scaling_layer(2 * rgb - 1))
    return torch.cat([layer.mean(dim=(2, 3)) for layer in layers], dim=1)


class PooledSTLPIPS:
    """`pooled_activations` on ``device``, as a feature space. Raises `ZooError` where the extra is missing."""

    def __init__(self, device: str) -> None:
        self._net, self._device = load_st_lpips(device), device
        self.identity = f"pooled st_lpips, version 1, {sha256_module(self._net.net)}"

    @torch.no_grad()
    def __call__(self, rgb: Tensor) -> Tensor:
        require_side(rgb, LEAST_SIDE, "fd_st_lpips")
        return pooled_activations(self._net, rgb.to(self._device))
