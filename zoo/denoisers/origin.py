"""The network of the project that this one grew from: the UNet of denoising-diffusion-pytorch's form of early 2023
(Ho et al. 2020; weight-standardised convolutions of Qiao et al. 2019, linear attention of Shen et al. 2021).

Written anew after its shapes; docs/origin.md tells what differs.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.denoisers import Denoiser, Inject
from zoo.diffusion.layers import attention, flatten_map, time_features
from zoo.errors import ZooError
from zoo.features import FeatureLevel
from zoo.registry import denoisers

GROUPS = 8
HEADS, HEAD_DIM = 4, 32


@denoisers.register("origin")
class OriginDenoiser(Denoiser):
    """ab_t and L, both at full resolution → the network's prediction. Features are joined right before each
    downsampling.

    Args:
        width: channels of the entry.
        mults: channels behind each downsampling, as multiples of ``width``.
        dropout: before each downsampling; half as much before each upsampling.
        chroma_scale: 1, as it diffuses ab at full resolution.
        extra: channels that the conditioner joins before each downsampling.
    """

    chroma_statistics = (0.0, 0.5)  # mean and standard deviation: x0 is ab/110, its mean left in

    def __init__(
        self,
        *,
        width: int = 128,
        mults: Sequence[int] = (1, 2, 3, 3),
        dropout: float = 0.3,
        chroma_scale: int = 1,
        extra: Sequence[int] = (),
    ) -> None:
        super().__init__()
        widths = [width, *(width * m for m in mults)]
        extra = extra or [0] * len(mults)
        self.width, self.embed_dim = width, 4 * width
        self.dropout, self.chroma_scale = dropout, chroma_scale
        self.time = nn.Sequential(
            nn.Linear(width, self.embed_dim), nn.GELU(), nn.Linear(self.embed_dim, self.embed_dim)
        )
        self.conv_in = nn.Conv2d(3, width, 7, padding=3)
        self.down = nn.ModuleList(Stage(c, c, self.embed_dim) for c in widths[:-1])
        self.downsample = nn.ModuleList(downsamplings(widths, extra))
        coarsest = widths[-1]
        self.middle1 = Block(coarsest, coarsest, self.embed_dim)
        self.attention = Attention(coarsest)
        self.middle2 = Block(coarsest, coarsest, self.embed_dim)
        pairs = list(reversed(list(itertools.pairwise(widths))))  # (fine, coarse), coarsest first
        self.up = nn.ModuleList(Stage(coarse, coarse, self.embed_dim, skip=fine) for fine, coarse in pairs)
        self.upsample = nn.ModuleList(nn.Conv2d(coarse, fine, 3, padding=1) for fine, coarse in pairs)
        self.last = Block(2 * width, width, self.embed_dim)
        self.conv_out = nn.Conv2d(width, 2, 1)

    @classmethod
    def levels(  # type: ignore[override]  # others would be taken for its options
        cls, *, width: int = 128, mults: Sequence[int] = (1, 2, 3, 3), dropout: float = 0.3, chroma_scale: int = 1
    ) -> tuple[FeatureLevel, ...]:
        """The stages, fine → coarse: their channels are those of what features are joined to."""
        if width < GROUPS or width % GROUPS or not mults or min(mults) < 1 or not 0 <= dropout < 1:
            raise ZooError(
                f"denoiser: width must be a multiple of {GROUPS}, mults positive and dropout in [0, 1), "
                f"not width={width} mults={mults} dropout={dropout}"
            )
        if chroma_scale != 1:
            raise ZooError(
                f"denoiser origin diffuses ab at full resolution: chroma_scale must be 1, not {chroma_scale}"
            )
        return tuple(FeatureLevel(width * m, 2**i) for i, m in enumerate((1, *mults[:-1])))

    def forward(self, ab_t: Tensor, L: Tensor, t: Tensor, inject: Inject, embedding: Tensor | None) -> Tensor:
        """Prediction (N, 2, H, W) for ``ab_t`` (N, 2, H, W), L (N, 1, H, W) and t (N,) in [0, 1]."""
        e = self.time(time_features(t, self.width))  # (N, embed_dim)
        e = e if embedding is None else e + embedding
        drop = Dropout(self.dropout if self.training else 0.0, ab_t)
        h = first = self.conv_in(torch.cat([L, ab_t], dim=1))  # (N, width, H, W)
        skips: list[Tensor] = []
        for i, (stage, down) in enumerate(zip(self.down, self.downsample, strict=True)):
            h = stage(h, e, remember=skips)
            h = downsampled(inject(h, i), down, drop)
        h = self.middle2(self.attention(self.middle1(h, e)), e)
        for i, (stage, up) in enumerate(zip(self.up, self.upsample, strict=True)):
            h = stage(h, e, recall=skips)
            if i < len(self.up) - 1:
                h = drop(F.interpolate(h, scale_factor=2.0, mode="nearest"), half=True)
            h = up(h)
        return self.conv_out(self.last(torch.cat([h, first], dim=1), e))


def downsamplings(widths: Sequence[int], extra: Sequence[int]) -> list[nn.Conv2d]:
    """A 1×1 convolution of 2×2 patches behind every stage but the last, which keeps its resolution."""
    pairs = list(itertools.pairwise(widths))
    return [
        nn.Conv2d(4 * (fine + more), coarse, 1) if i < len(pairs) - 1 else nn.Conv2d(fine + more, coarse, 3, padding=1)
        for i, ((fine, coarse), more) in enumerate(zip(pairs, extra, strict=True))
    ]


def downsampled(h: Tensor, conv: nn.Module, drop: Dropout) -> Tensor:
    """``h`` through one of `downsamplings`."""
    return conv(h) if conv.kernel_size == (3, 3) else conv(drop(F.pixel_unshuffle(h, 2)))


class Dropout:
    """Dropout whose draws follow from what the network sees, so that a resumed training draws what it would have.

    Args:
        p: share that is dropped.
        seen: its first number seeds the draws.
    """

    def __init__(self, p: float, seen: Tensor) -> None:
        self.p = p
        if p:
            self._rng = torch.Generator().manual_seed(int(seen.flatten()[0].float().view(torch.int32)) & 0x7FFFFFFF)

    def __call__(self, x: Tensor, *, half: bool = False) -> Tensor:
        p = self.p / 2 if half else self.p
        if not p:
            return x
        return x * (torch.rand(x.shape, generator=self._rng) >= p).to(x) / (1 - p)


class Stage(nn.Module):
    """Two blocks, then linear attention, residual."""

    def __init__(self, channels: int, out: int, embed_dim: int | None, *, skip: int = 0) -> None:
        super().__init__()
        self.block1 = Block(channels + skip, out, embed_dim)
        self.block2 = Block(out + skip, out, embed_dim)
        self.attention = LinearAttention(out)

    def forward(
        self, h: Tensor, e: Tensor | None, *, remember: list[Tensor] | None = None, recall: list[Tensor] | None = None
    ) -> Tensor:
        h = self.block1(h if recall is None else torch.cat([h, recall.pop()], dim=1), e)
        if remember is not None:
            remember.append(h)
        h = self.attention(self.block2(h if recall is None else torch.cat([h, recall.pop()], dim=1), e))
        if remember is not None:
            remember.append(h)
        return h


class Block(nn.Module):
    """Two convolutions, each normed and activated behind; the time scales and shifts the first norm; residual."""

    def __init__(self, channels: int, out: int, embed_dim: int | None) -> None:
        super().__init__()
        self.modulation = nn.Linear(embed_dim, 2 * out) if embed_dim else None
        self.conv1, self.norm1 = StandardizedConv(channels, out, 3, padding=1), nn.GroupNorm(GROUPS, out)
        self.conv2, self.norm2 = StandardizedConv(out, out, 3, padding=1), nn.GroupNorm(GROUPS, out)
        self.skip = nn.Identity() if channels == out else nn.Conv2d(channels, out, 1)

    def forward(self, x: Tensor, e: Tensor | None) -> Tensor:
        h = self.norm1(self.conv1(x))
        if self.modulation is not None and e is not None:
            scale, shift = self.modulation(F.silu(e))[:, :, None, None].chunk(2, dim=1)  # (N, C, 1, 1)
            h = h * (scale + 1) + shift
        return self.skip(x) + F.silu(self.norm2(self.conv2(F.silu(h))))


class StandardizedConv(nn.Conv2d):
    """A convolution whose weights are brought to zero mean and unit variance for each output (Qiao et al. 2019)."""

    def forward(self, input: Tensor) -> Tensor:
        var, mean = torch.var_mean(self.weight, dim=(1, 2, 3), correction=0, keepdim=True)
        return self._conv_forward(input, (self.weight - mean) * (var + 1e-5).rsqrt(), self.bias)


class ChannelNorm(nn.Module):
    """Layer norm over the channels of each position, with a gain and no bias."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1, channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        var, mean = torch.var_mean(x, dim=1, correction=0, keepdim=True)
        return (x - mean) * (var + 1e-5).rsqrt() * self.gain


class LinearAttention(nn.Module):
    """Attention whose cost is linear in the positions (Shen et al. 2021), pre-normed and residual."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = ChannelNorm(channels)
        self.qkv = nn.Conv2d(channels, 3 * HEADS * HEAD_DIM, 1, bias=False)
        self.out = nn.Sequential(nn.Conv2d(HEADS * HEAD_DIM, channels, 1), ChannelNorm(channels))

    def forward(self, x: Tensor) -> Tensor:
        n, _, height, width = x.shape
        q, k, v = self.qkv(self.norm(x)).view(n, 3, HEADS, HEAD_DIM, height * width).unbind(1)  # (N, heads, D, hw)
        q = q.softmax(dim=-2) * HEAD_DIM**-0.5
        context = k.softmax(dim=-1) @ (v / (height * width)).transpose(-1, -2)  # (N, heads, D, D)
        return x + self.out((context.transpose(-1, -2) @ q).reshape(n, -1, height, width))


class Attention(nn.Module):
    """Full attention over positions, pre-normed and residual."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = ChannelNorm(channels)
        self.qkv = nn.Conv2d(channels, 3 * HEADS * HEAD_DIM, 1, bias=False)
        self.out = nn.Conv2d(HEADS * HEAD_DIM, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = flatten_map(self.qkv(self.norm(x))).chunk(3, dim=-1)  # (N, hw, heads·D)
        h = attention(q, k, v, HEADS).transpose(1, 2)  # (N, heads·D, hw)
        return x + self.out(h.reshape(*h.shape[:2], *x.shape[2:]))
