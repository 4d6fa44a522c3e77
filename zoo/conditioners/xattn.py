"""Cross-attention: positions of the denoiser's coarse stages attend to tokens of the encoder."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zoo.conditioners import Conditioner, Context
from zoo.conditioners._project import channel_norm
from zoo.diffusion.layers import attention, flatten_map, group_norm, position_code
from zoo.errors import ZooError
from zoo.features import FeatureLevel, Features, FeatureSpec
from zoo.registry import conditioners


@conditioners.register("xattn")
class CrossAttention(Conditioner):
    """Tokens are the encoder's embedding and its coarsest maps, flattened, with sinusoidal positions.

    Attention enters at the coarser half of the stages. Keys and values do not depend on t: they are computed once
    per image.

    Args:
        dim: of the tokens after projection, a multiple of 4.
        maps: how many of the coarsest maps become tokens; None: all.
        embedding: whether the encoder's embedding, if it has one, is a token.
        head_dim: channels per attention head.
    """

    def __init__(
        self,
        spec: FeatureSpec,
        denoiser_levels: tuple[FeatureLevel, ...],
        *,
        dim: int = 128,
        maps: int | None = 1,
        embedding: bool = True,
        head_dim: int = 32,
    ) -> None:
        super().__init__(spec, denoiser_levels)
        maps = len(spec.levels) if maps is None else maps
        if dim < 4 or dim % 4 or maps < 0 or head_dim < 1 or any(x.channels % head_dim for x in denoiser_levels):
            raise ZooError(
                f"dim must be a multiple of 4, maps ≥ 0 and head_dim a divisor of the denoiser's widths "
                f"{[x.channels for x in denoiser_levels]}, not dim={dim} maps={maps} head_dim={head_dim}"
            )
        coarse = spec.levels[len(spec.levels) - min(maps, len(spec.levels)) :]
        embedding = embedding and spec.token_dim is not None
        if not coarse and not embedding:
            raise ZooError(
                f"maps={maps} leaves no token: this encoder has {len(spec.levels)} maps, and its embedding is not "
                "used or not there; use maps=1 or more, or embedding=true"
            )
        self.first_map = len(spec.levels) - len(coarse)
        self.map_norms = nn.ModuleList(channel_norm(level.channels) for level in coarse)
        self.map_tokens = nn.ModuleList(nn.Linear(level.channels, dim) for level in coarse)
        self.embedding = None
        if embedding and spec.token_dim is not None:
            self.embedding = nn.Sequential(nn.LayerNorm(spec.token_dim), nn.Linear(spec.token_dim, dim))
        self.stages = tuple(range(len(denoiser_levels) // 2, len(denoiser_levels)))
        widths = [denoiser_levels[i].channels for i in self.stages]
        self.dim = dim
        self.token_norm = nn.LayerNorm(dim)
        self.attend = nn.ModuleList(_Attend(width, dim, width // head_dim) for width in widths)
        self.null = nn.ParameterList(nn.Parameter(torch.zeros(1, 2 * width)) for width in widths)

    @classmethod
    def in_use_for(cls, options: dict[str, Any], spec: FeatureSpec) -> dict[str, Any]:
        maps, there = options.get("maps", 1), len(spec.levels)
        all_of_them = maps is None or maps >= there
        return {**options, "maps": max(there, 1)} if all_of_them and "maps" in options else options

    def prepare(self, features: Features, size: tuple[int, int]) -> Context:
        tokens = [] if self.embedding is None else [self.embedding(features.tokens)]  # each (N, T, dim)
        maps = features.maps[self.first_map :]
        for x, norm, project in zip(maps, self.map_norms, self.map_tokens, strict=True):
            tokens.append(project(flatten_map(norm(x))) + position_code((x.shape[-2], x.shape[-1]), self.dim, x.device))
        joined = self.token_norm(torch.cat(tokens, dim=1))
        return tuple(attend.key_value(joined) for attend in self.attend)  # type: ignore[operator]  # each (N, T, 2C)

    def inject(self, h: Tensor, level: int, context: Context) -> Tensor:
        if level not in self.stages:
            return h
        i = level - self.stages[0]
        return h + self.attend[i](h, context[i])


class _Attend(nn.Module):
    def __init__(self, channels: int, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = group_norm(channels)
        self.place = nn.Linear(dim, channels, bias=False)
        self.query = nn.Linear(channels, channels)
        self.key_value = nn.Linear(dim, 2 * channels)
        self.out = nn.Linear(channels, channels)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, h: Tensor, key_value: Tensor) -> Tensor:
        n, c, height, width = h.shape
        position = position_code((height, width), self.place.in_features, h.device)
        q = self.query(flatten_map(self.norm(h)) + self.place(position))  # (N, h·w, C)
        k, v = key_value.chunk(2, dim=-1)  # (N, T, C)
        return self.out(attention(q, k, v, self.heads)).transpose(1, 2).reshape(n, c, height, width)
