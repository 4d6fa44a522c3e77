"""The network of shift-tolerant LPIPS (Ghildyal & Liu 2022), AlexNet: its weights are inside its package."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from zoo.errors import ZooError

LEAST_SIDE = 32


@lru_cache(maxsize=1)
def load_st_lpips(device: str) -> Any:
    """stlpips-pytorch's metric network on ``device``. Raises `ZooError` where the extra ``stlpips`` is missing."""
    try:
        from stlpips_pytorch.stlpips import LPIPS
    except ImportError as error:
        raise ZooError(f"{error}: needs an extra; pip install 'face-colour-zoo[stlpips]'") from error
    net = LPIPS(net="alex", variant="shift_tolerant", verbose=False)
    return net.eval().requires_grad_(False).to(device)


def pooled_activations(net: Any, rgb: Tensor) -> Tensor:
    """Means over the image of all channels of all five AlexNet layers after their ReLU, not normalised.

    Args:
        rgb: (N, 3, H, W) in [0, 1], taken at its own size.

    Returns:
        (N, 64 + 192 + 384 + 256 + 256 = 1152).
    """
    layers = net.net(net.scaling_layer(2 * rgb - 1))
    return torch.cat([layer.mean(dim=(2, 3)) for layer in layers], dim=1)
