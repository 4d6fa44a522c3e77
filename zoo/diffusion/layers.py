"""Layers shared by denoisers, conditioners and the scratch encoder."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

GROUP = 16  # channels per group of a GroupNorm; every width is a multiple of it


def group_norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(channels // GROUP, channels)


class ResBlock(nn.Module):
    """Pre-norm residual block; the time embedding, if any, scales and shifts the second norm (Dhariwal & Nichol 2021).

    Args:
        channels: of the input itself.
        out_channels: of the output.
        extra: channels that a conditioner joined behind the input. Groups of the norm do not straddle them, their
            weights start at zero and draw no random number: the block starts as if they were not there.
        embed_dim: of the time embedding; None: the block takes none.
    """

    def __init__(self, channels: int, out_channels: int, *, extra: int = 0, embed_dim: int | None = None) -> None:
        super().__init__()
        self.channels = channels
        self.norm1 = group_norm(channels + extra)
        self.conv1 = _widened(nn.Conv2d(channels, out_channels, 3, padding=1), extra)
        self.norm2 = group_norm(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.modulation = nn.Linear(embed_dim, 2 * out_channels) if embed_dim else None
        self.skip = nn.Identity() if channels == out_channels else nn.Conv2d(channels, out_channels, 1)
        nn.init.zeros_(self.conv2.weight)

    def forward(self, x: Tensor, embedding: Tensor | None = None) -> Tensor:
        h = self.norm2(self.conv1(F.silu(self.norm1(x))))
        if self.modulation is not None and embedding is not None:
            scale, shift = self.modulation(F.silu(embedding))[:, :, None, None].chunk(2, dim=1)  # (N, C, 1, 1)
            h = h * (1 + scale) + shift
        return self.skip(x[:, : self.channels]) + self.conv2(F.silu(h))


def _widened(conv: nn.Conv2d, extra: int) -> nn.Conv2d:
    """The same convolution with ``extra`` more input channels, of weight zero."""
    if extra:
        conv.in_channels += extra
        conv.weight = nn.Parameter(nn.functional.pad(conv.weight.detach(), (0, 0, 0, 0, 0, extra)))
    return conv


class SelfAttention(nn.Module):
    """Pre-norm multi-head self-attention over the positions of a map, residual, zero at the start."""

    def __init__(self, channels: int, head_dim: int = 32) -> None:
        super().__init__()
        self.heads = channels // head_dim
        self.norm = group_norm(channels)
        self.qkv = nn.Linear(channels, 3 * channels)
        self.out = nn.Linear(channels, channels)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor) -> Tensor:
        n, c, height, width = x.shape
        q, k, v = self.qkv(flatten_map(self.norm(x))).chunk(3, dim=-1)  # (N, T, C)
        h = attention(q, k, v, self.heads)
        return x + self.out(h).transpose(1, 2).reshape(n, c, height, width)


def flatten_map(x: Tensor) -> Tensor:
    """(N, C, h, w) → (N, h·w, C)."""
    return x.flatten(2).transpose(1, 2)


def attention(q: Tensor, k: Tensor, v: Tensor, heads: int) -> Tensor:
    """Multi-head attention of queries (N, T, C) to keys and values (N, S, C) → (N, T, C)."""
    q, k, v = (x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (q, k, v))  # (N, heads, T or S, C/heads)
    return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)


def time_features(t: Tensor, dim: int) -> Tensor:
    """Sinusoidal features of t in [0, 1]: (N,) → (N, dim). Vaswani et al. 2017, with t scaled to 0..1000."""
    frequency = torch.exp(torch.arange(dim // 2, device=t.device) * (-math.log(10_000) / (dim // 2)))
    angle = 1000 * t[:, None] * frequency
    return torch.cat([angle.cos(), angle.sin()], dim=1)


def position_code(size: tuple[int, int], dim: int, device: torch.device) -> Tensor:
    """Sinusoidal code of the cell centres of a map, in fractions of the image: (h·w, dim), dim a multiple of 4."""
    y, x = torch.meshgrid(*((torch.arange(n, device=device) + 0.5) / n for n in size), indexing="ij")  # (h, w)
    frequency = torch.pi * 2.0 ** torch.linspace(0, 4, dim // 4, device=device)
    angles = torch.cat([p.flatten()[:, None] * frequency for p in (y, x)], dim=1)  # (h·w, dim/2)
    return torch.cat([angles.sin(), angles.cos()], dim=1)
