"""The zoo's own UNet."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.denoisers import Denoiser, Inject
from zoo.diffusion.hints import CHANNELS
from zoo.diffusion.layers import ResBlock, SelfAttention, group_norm, time_features
from zoo.errors import ZooError
from zoo.features import FeatureLevel
from zoo.registry import denoisers


@denoisers.register("unet")
class UNet(Denoiser):
    """A UNet over ab at a fraction of the resolution, which is told all of L.

    L enters through ``pixel_unshuffle``, so that no detail of it is lost whatever the chroma resolution.

    Args:
        width: channels at the finest level, a multiple of 32.
        mults: channels of each level, as multiples of ``width``; each level halves the resolution.
        blocks: residual blocks per level and direction.
        attention_levels: how many of the coarsest levels have self-attention.
        chroma_scale: r in {1, 2, 4}: ab is diffused at 1/r of the image.
        patch: side of the patches of ab that become channels at the input.
        hints: it is told colours that are known at some places (`zoo.diffusion.hints`).
        extra: channels that the conditioner joins to each level's input.
    """

    def __init__(
        self,
        *,
        width: int = 64,
        mults: Sequence[int] = (1, 2),
        blocks: int = 1,
        attention_levels: int = 1,
        chroma_scale: int = 4,
        patch: int = 1,
        hints: bool = False,
        extra: Sequence[int] = (),
    ) -> None:
        super().__init__()
        widths = [level.channels for level in denoiser_levels(width, mults, chroma_scale, patch)]
        extra = extra or [0] * len(widths)
        attends = [i >= len(widths) - attention_levels for i in range(len(widths))]
        self.chroma_scale, self.patch, self.hints = chroma_scale, patch, hints
        self.embed_dim = embed_dim = 4 * width
        self.width = width
        self.time = nn.Sequential(nn.Linear(width, embed_dim), nn.SiLU(), nn.Linear(embed_dim, embed_dim))
        channels_in = (2 + (CHANNELS if hints else 0)) * patch**2 + (chroma_scale * patch) ** 2
        self.conv_in = nn.Conv2d(channels_in, width, 3, padding=1)

        self.down = nn.ModuleList(
            _Stage(c, [c] * blocks, embed_dim, extra=extra[i], attention=attends[i]) for i, c in enumerate(widths)
        )
        self.downsample = nn.ModuleList(
            nn.Conv2d(fine, coarse, 3, stride=2, padding=1) for fine, coarse in itertools.pairwise(widths)
        )
        channels = widths[-1]
        self.middle = _Stage(channels, [channels], embed_dim, attention=attention_levels > 0)
        self.up = nn.ModuleList()
        for c, attention in zip(reversed(widths), reversed(attends)):
            self.up.append(_Stage(channels, [c] * blocks, embed_dim, skip=c, attention=attention))
            channels = c
        self.upsample = nn.ModuleList(nn.Conv2d(c, c, 3, padding=1) for c in reversed(widths[1:]))
        out = nn.Conv2d(width, 2 * patch**2, 3, padding=1)
        nn.init.zeros_(out.weight)  # the first prediction is 0
        nn.init.zeros_(out.bias)  # type: ignore[arg-type]
        self.conv_out = nn.Sequential(group_norm(width), nn.SiLU(), out)

    @classmethod
    def in_use(cls, options: dict[str, Any]) -> dict[str, Any]:
        levels = len(cls.levels(**options))
        return {**options, "attention_levels": min(options.get("attention_levels", 1), levels)}

    @classmethod
    def levels(cls, **options: Any) -> tuple[FeatureLevel, ...]:
        """`denoiser_levels` of these options, with the defaults of the constructor."""
        return denoiser_levels(
            options.get("width", 64),
            options.get("mults", (1, 2)),
            options.get("chroma_scale", 4),
            options.get("patch", 1),
        )

    def forward(
        self,
        ab_t: Tensor,
        L: Tensor,
        t: Tensor,
        inject: Inject,
        embedding: Tensor | None,
        hints: Tensor | None = None,
    ) -> Tensor:
        e = self.time(time_features(t, self.width))  # (N, embed_dim)
        e = e if embedding is None else e + embedding
        if self.hints:
            hints = ab_t.new_zeros(len(ab_t), CHANNELS, *ab_t.shape[-2:]) if hints is None else hints
            ab_t = torch.cat([ab_t, hints], dim=1)
        patches = F.pixel_unshuffle(ab_t, self.patch)
        lightness = F.pixel_unshuffle(L, self.chroma_scale * self.patch)
        h = self.conv_in(torch.cat([patches, lightness], dim=1))  # (N, width, h/patch, w/patch)
        skips: list[Tensor] = []
        for i, stage in enumerate(self.down):
            h = self.downsample[i - 1](h) if i else h
            h = stage(inject(h, i), e, remember=skips)
        h = self.middle(h, e)
        for i, stage in enumerate(self.up):
            h = self.upsample[i - 1](F.interpolate(h, scale_factor=2.0, mode="nearest")) if i else h
            h = stage(h, e, recall=skips)
        return F.pixel_shuffle(self.conv_out(h), self.patch)


class _Stage(nn.Module):
    """Residual blocks at one resolution, each followed by attention where asked."""

    def __init__(
        self,
        channels: int,
        outs: list[int],
        embed_dim: int,
        *,
        extra: int = 0,
        skip: int = 0,
        attention: bool = False,
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleList()
        self.attention = nn.ModuleList()
        for i, out in enumerate(outs):
            self.blocks.append(ResBlock(channels + skip, out, extra=0 if i else extra, embed_dim=embed_dim))
            self.attention.append(SelfAttention(out) if attention else nn.Identity())
            channels = out

    def forward(
        self, h: Tensor, embedding: Tensor, *, remember: list[Tensor] | None = None, recall: list[Tensor] | None = None
    ) -> Tensor:
        for block, attention in zip(self.blocks, self.attention, strict=True):
            h = h if recall is None else torch.cat([h, recall.pop()], dim=1)
            h = attention(block(h, embedding))
            if remember is not None:
                remember.append(h)
        return h


def denoiser_levels(width: int, mults: Sequence[int], chroma_scale: int, patch: int = 1) -> tuple[FeatureLevel, ...]:
    """The stages of a denoiser, fine → coarse, with strides relative to the image. Raises `ZooError` on bad values."""
    if width < 1 or width % 32 or not mults or min(mults) < 1:
        raise ZooError(f"denoiser: width must be a multiple of 32 and mults positive, not width={width} mults={mults}")
    if chroma_scale not in (1, 2, 4) or patch < 1:
        raise ZooError(f"denoiser: chroma_scale must be 1, 2 or 4 and patch ≥ 1, not {chroma_scale} and {patch}")
    return tuple(FeatureLevel(width * m, chroma_scale * patch * 2**i) for i, m in enumerate(mults))
