"""What a network trained on photos sees of L: the grey photo of the same lightness."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.color.lab import f_inverse
from zoo.color.srgb import from_linear
from zoo.faces.framing import WHOLE, crop


def grey_to_srgb(L: Tensor) -> Tensor:
    """The sRGB value, R = G = B, of a grey whose lightness is ``L``.

    CIE 1976 L* → Y of the same white, then the transfer curve of IEC 61966-2-1.

    Args:
        L: any shape, L*/50 − 1 in [-1, 1].

    Returns:
        The same shape, in [0, 1].
    """
    f = (50 * (L + 1) + 16) / 116
    return from_linear(f_inverse(f).clamp(0, 1))


def square(L: Tensor, size: int) -> Tensor:
    """``L`` (N, 1, H, W) at ``size`` × ``size``; itself if it is there already."""
    return L if L.shape[-2:] == (size, size) else crop(L, WHOLE, size)


def unit_tokens(embedding: Tensor) -> Tensor:
    """A face embedding (N, D) → tokens (N, 1, D) of length √D: its direction is what identifies, and components of
    unit size are what a conditioner's first layer expects."""
    return (torch.nn.functional.normalize(embedding) * embedding.shape[1] ** 0.5)[:, None]
