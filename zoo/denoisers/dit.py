"""A plain diffusion transformer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.denoisers import Denoiser, Inject
from zoo.diffusion.hints import CHANNELS
from zoo.diffusion.layers import attention, flatten_map, position_code, time_features
from zoo.errors import ZooError
from zoo.features import FeatureLevel
from zoo.registry import denoisers

HEAD_DIM = 32


@denoisers.register("dit")
class DiT(Denoiser):
    """A transformer over patches of ab and L, whose blocks time shifts, scales and gates (Peebles & Xie 2023).

    Positions are sinusoidal, in fractions of the picture, which may have any size. Features enter as maps of the tokens
    right before every ``enter_every``-th block: these are the levels, all of one width and stride.

    Args:
        dim: of a token, a multiple of 32, which is also that of a head.
        depth: blocks.
        mlp_ratio: hidden channels of a block's MLP, as a multiple of ``dim``.
        enter_every: blocks from one level to the next.
        chroma_scale: r in {1, 2, 4}: ab is diffused at 1/r of the image.
        patch: side of a token's patch of ab; that of L is chroma_scale·patch pixels.
        hints: it is told colours that are known at some places (`zoo.diffusion.hints`).
        extra: channels that the conditioner joins at each level.
    """

    def __init__(
        self,
        *,
        dim: int = 128,
        depth: int = 7,
        mlp_ratio: int = 4,
        enter_every: int = 2,
        chroma_scale: int = 4,
        patch: int = 1,
        hints: bool = False,
        extra: Sequence[int] = (),
    ) -> None:
        super().__init__()
        levels = _levels(dim, depth, mlp_ratio, enter_every, chroma_scale, patch)
        self.chroma_scale, self.patch, self.hints = chroma_scale, patch, hints
        self.dim = self.embed_dim = dim
        self.enter_every = enter_every
        self.time = nn.Sequential(nn.Linear(dim, dim), nn.SiLU(), nn.Linear(dim, dim))
        channels_in = (2 + (CHANNELS if hints else 0)) * patch**2 + (chroma_scale * patch) ** 2
        self.conv_in = nn.Conv2d(channels_in, dim, 1)
        self.joins = nn.ModuleList(Join(dim, more) for more in extra or [0] * len(levels))
        self.blocks = nn.ModuleList(Block(dim, mlp_ratio * dim) for _ in range(depth))
        self.norm = nn.LayerNorm(dim, elementwise_affine=False)
        self.modulation = nn.Linear(dim, 2 * dim)
        self.out = nn.Linear(dim, 2 * patch**2)
        for layer in (self.modulation, self.out):  # the first prediction is 0
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    @classmethod
    def levels(cls, **options: Any) -> tuple[FeatureLevel, ...]:
        usual = {"dim": 128, "depth": 7, "mlp_ratio": 4, "enter_every": 2, "chroma_scale": 4, "patch": 1}
        return _levels(*(options.get(name, value) for name, value in usual.items()))

    def forward(
        self,
        ab_t: Tensor,
        L: Tensor,
        t: Tensor,
        inject: Inject,
        embedding: Tensor | None,
        hints: Tensor | None = None,
    ) -> Tensor:
        e = self.time(time_features(t, self.dim))  # (N, dim)
        e = F.silu(e if embedding is None else e + embedding)
        if self.hints:
            hints = ab_t.new_zeros(len(ab_t), CHANNELS, *ab_t.shape[-2:]) if hints is None else hints
            ab_t = torch.cat([ab_t, hints], dim=1)
        patches = F.pixel_unshuffle(ab_t, self.patch)
        lightness = F.pixel_unshuffle(L, self.chroma_scale * self.patch)
        h = self.conv_in(torch.cat([patches, lightness], dim=1))  # (N, dim, h/patch, w/patch)
        size = h.shape[-2:]
        x = flatten_map(h) + position_code((size[0], size[1]), self.dim, h.device)  # (N, T, dim)
        for i, block in enumerate(self.blocks):
            if i % self.enter_every == 0:
                level = i // self.enter_every
                x = self.joins[level](inject(as_map(x, size), level))
            x = block(x, e)
        shift, scale = self.modulation(e)[:, None].chunk(2, dim=-1)
        return F.pixel_shuffle(as_map(self.out(self.norm(x) * (1 + scale) + shift), size), self.patch)


class Join(nn.Module):
    """(N, dim + extra, h, w) → tokens (N, h·w, dim). What was joined is added through weights that start at zero and
    draw no random number: the network starts as if it were not there."""

    def __init__(self, dim: int, extra: int) -> None:
        super().__init__()
        self.dim = dim
        self.weight = nn.Parameter(torch.zeros(dim, extra)) if extra else None

    def forward(self, h: Tensor) -> Tensor:
        x = flatten_map(h)
        return x if self.weight is None else x[..., : self.dim] + F.linear(x[..., self.dim :], self.weight)


class Block(nn.Module):
    """Self-attention and an MLP, normed, shifted and scaled before and gated behind as time says: by zero at first
    (adaLN-Zero)."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.heads = dim // HEAD_DIM
        self.norm = nn.LayerNorm(dim, elementwise_affine=False)
        self.modulation = nn.Linear(dim, 6 * dim)
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)
        self.mlp = nn.Sequential(nn.Linear(dim, hidden), nn.GELU(approximate="tanh"), nn.Linear(hidden, dim))
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    def forward(self, x: Tensor, e: Tensor) -> Tensor:
        shift1, scale1, gate1, shift2, scale2, gate2 = self.modulation(e)[:, None].chunk(6, dim=-1)  # (N, 1, dim)
        q, k, v = self.qkv(self.norm(x) * (1 + scale1) + shift1).chunk(3, dim=-1)  # (N, T, dim)
        x = x + gate1 * self.out(attention(q, k, v, self.heads))
        return x + gate2 * self.mlp(self.norm(x) * (1 + scale2) + shift2)


def as_map(x: Tensor, size: Sequence[int]) -> Tensor:
    """(N, h·w, C) → (N, C, h, w)."""
    n, _, channels = x.shape  # as numbers of the graph: len() would be a constant in ONNX
    return x.transpose(1, 2).reshape(n, channels, *size)


def _levels(
    dim: int, depth: int, mlp_ratio: int, enter_every: int, chroma_scale: int, patch: int
) -> tuple[FeatureLevel, ...]:
    if dim < HEAD_DIM or dim % HEAD_DIM or min(depth, mlp_ratio, enter_every, patch) < 1:
        raise ZooError(
            f"denoiser: dim must be a multiple of {HEAD_DIM} and depth, mlp_ratio, enter_every and patch ≥ 1, "
            f"not dim={dim} depth={depth} mlp_ratio={mlp_ratio} enter_every={enter_every} patch={patch}"
        )
    if chroma_scale not in (1, 2, 4):
        raise ZooError(f"denoiser: chroma_scale must be 1, 2 or 4, not {chroma_scale}")
    return (FeatureLevel(dim, chroma_scale * patch),) * -(-depth // enter_every)
