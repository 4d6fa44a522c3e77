"""A training step of other projects' UNets at our size, on our task, where their packages are installed."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn


def diffusers_unet() -> nn.Module:
    """``UNet2DModel`` with its own four levels and two blocks a level: 2.66 M parameters."""
    from diffusers import UNet2DModel

    return UNet2DModel(
        sample_size=64,
        in_channels=3,
        out_channels=2,
        block_out_channels=(24, 48, 48, 96),
        norm_num_groups=4,
        attention_head_dim=4,
    )


def lucidrains_unet() -> nn.Module:
    """``Unet`` of denoising-diffusion-pytorch with three levels: 2.61 M parameters."""
    from denoising_diffusion_pytorch import Unet

    return Unet(32, channels=3, out_dim=2, dim_mults=(1, 2, 4))


RIVALS = MappingProxyType({"diffusers UNet2DModel": diffusers_unet, "lucidrains Unet": lucidrains_unet})


def step(network: nn.Module, n: int, device: str) -> Callable[[], None]:
    """Forward, backward and a plain gradient step on ``n`` random images of 64 px: ab_t and L in, v of ab out."""
    network = network.to(device).train()
    x = torch.randn(n, 3, 64, 64, device=device)  # ab_t and L
    v = torch.randn(n, 2, 64, 64, device=device)
    t = torch.rand(n, device=device) * 1000

    def optimise() -> None:
        predicted: Any = network(x, t)
        F.mse_loss(getattr(predicted, "sample", predicted), v).backward()
        with torch.no_grad():
            for p in network.parameters():
                if p.grad is not None:
                    p.sub_(1e-6 * p.grad)
                    p.grad = None

    return optimise
