"""Projections of an encoder's features, shared by the conditioners."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.features import Features, FeatureSpec


def resize(x: Tensor, size: tuple[int, int]) -> Tensor:
    """(N, C, h, w) → (N, C, *size): area average where it shrinks, bilinear where it grows."""
    if torch.onnx.is_in_onnx_export():
        return _resize_by_matrices(x, size)
    if x.shape[-2] >= size[0] and x.shape[-1] >= size[1]:
        return F.adaptive_avg_pool2d(x, size)
    return F.interpolate(x, size, mode="bilinear", align_corners=False)


def _resize_by_matrices(x: Tensor, size: tuple[int, int]) -> Tensor:
    """The same as products with matrices that are built from the sizes: ONNX has no adaptive pooling to a size that is
    not known beforehand."""
    before, after = (x.shape[-2], x.shape[-1]), size
    shrinks = torch.stack([torch.as_tensor(b >= a) for b, a in zip(before, after, strict=True)]).all()
    rows, columns = (
        torch.where(shrinks, _area_weights(b, a), _bilinear_weights(b, a)) for b, a in zip(before, after, strict=True)
    )
    return rows @ x @ columns.T


def _area_weights(before: int, after: int) -> Tensor:
    """(after, before): output i averages inputs ⌊i·b/a⌋ … ⌈(i + 1)·b/a⌉ − 1, as `F.adaptive_avg_pool2d` does."""
    i, j = torch.arange(after)[:, None], torch.arange(before)[None]
    inside = ((j * after >= i * before - (i * before) % after) & (j * after < (i + 1) * before)).float()
    return inside / inside.sum(dim=1, keepdim=True)


def _bilinear_weights(before: int, after: int) -> Tensor:
    """(after, before): linear interpolation between centres, with the ends held."""
    i, j = torch.arange(after)[:, None], torch.arange(before)[None]
    at = ((i + 0.5) * before / after - 0.5).clamp_min(0)
    at = torch.minimum(at, torch.as_tensor(before - 1).float())
    return (1 - (at - j).abs()).clamp_min(0)


def channel_norm(channels: int) -> nn.GroupNorm:
    """Brings a map of any encoder to zero mean and unit variance over the whole image."""
    return nn.GroupNorm(1, channels)


class Summary(nn.Module):
    """One vector (N, dim) per image, layer-normalised: the mean token, or the mean of the coarsest map without one."""

    def __init__(self, spec: FeatureSpec) -> None:
        super().__init__()
        self.dim = spec.token_dim if spec.token_dim is not None else spec.levels[-1].channels
        self.norm = nn.LayerNorm(self.dim)

    def forward(self, features: Features) -> Tensor:
        pooled = features.maps[-1].mean(dim=(2, 3)) if features.tokens is None else features.tokens.mean(dim=1)
        return self.norm(pooled)
