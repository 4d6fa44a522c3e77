"""Hints: colours that are given at some places, as three more channels at the chroma resolution: ab where it is known
and a mask that says where (Zhang et al. 2017, iColoriT)."""

from __future__ import annotations

import math
from typing import TypeAlias

import torch
from torch import Tensor

CHANNELS = 3
CONV_IN = "conv_in.weight"  # of the layer that takes in ab, then hints if any, then L
Known: TypeAlias = tuple[Tensor, Tensor]  # ab (N, 2, h, w) in model units, and (N, 1, h, w), 1 where it is known
_MOST = 128  # hints of an image in training
_LARGEST = 3  # side of a patch, in positions of the chroma


def hint_channels(x0: Tensor, mask: Tensor) -> Tensor:
    """(N, 3, h, w) of normalised ab ``x0`` (N, 2, h, w), where ``mask`` (N, 1, h, w) is 1; 0 elsewhere."""
    return torch.cat([x0 * mask, mask], dim=1)


def mask_at(places: Tensor, size: tuple[int, int]) -> Tensor:
    """(N, 1, h, w) float, 1 at the positions in which ``places`` (N, K, 2) lie: x and y in fractions of the image."""
    height, width = size
    columns, rows = ((places * places.new_tensor([width, height])).long()).unbind(dim=-1)  # (N, K)
    mask = torch.zeros(len(places), 1, height, width, device=places.device)
    mask.flatten(1).scatter_(1, rows.clamp(0, height - 1) * width + columns.clamp(0, width - 1), 1.0)
    return mask


def draw_masks(n: int, size: int, share: float, generator: torch.Generator) -> Tensor:
    """Where the hints of training lie: (n, 1, size, size) float, 0 or 1.

    An image has 1 to 128 patches, as likely 1 to 2 as 64 to 128, each of 1 to 3 positions a side and anywhere.

    Args:
        share: of the images that have any; the others are coloured from L alone.
    """
    given = torch.rand(n, generator=generator) < share
    counts = torch.exp(torch.rand(n, generator=generator) * math.log(_MOST)).round() * given
    draws = torch.rand(n, _MOST, 3, generator=generator)
    sides = (draws[..., 2] * _LARGEST).long().clamp_max(_LARGEST - 1) + 1  # (n, _MOST)
    reach = (size + sides - 1)[..., None]  # a patch may lie partly outside, so that edges have as many as the middle
    corners = (draws[..., :2] * reach).long() - (sides - 1)[..., None]  # (n, _MOST, 2): rows and columns
    there = torch.arange(_MOST) < counts[:, None]
    mask = torch.zeros(n, 1, size, size)
    for down in range(_LARGEST):
        for right in range(_LARGEST):
            places = corners + torch.tensor([down, right])
            inside = ((places >= 0) & (places < size)).all(dim=-1)
            image, patch = torch.nonzero(there & inside & (sides > max(down, right)), as_tuple=True)
            rows, columns = places[image, patch].unbind(dim=1)
            mask[image, 0, rows, columns] = 1
    return mask


def with_hints(weight: Tensor, chroma_scale: int) -> Tensor:
    """The weight of `CONV_IN` with hints, which have no effect yet, from that of a denoiser without."""
    patch = weight.shape[1] // (2 + chroma_scale**2)  # positions of the chroma in each that the layer sees
    ab, lightness = weight.split([2 * patch, weight.shape[1] - 2 * patch], dim=1)
    unheeded = weight.new_zeros(len(weight), CHANNELS * patch, *weight.shape[2:])
    return torch.cat([ab, unheeded, lightness], dim=1)
