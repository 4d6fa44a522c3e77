"""Lab → sRGB of 8 bits that keeps L: a colour outside sRGB loses chroma, never lightness or hue.

Clipping R, G or B would change L. Here ab is scaled towards neutral until the colour fits, and rounding to 8 bits lets
green, which carries most of the luminance, make up for what rounding red and blue did to it. Ranges of L and ab as in
`zoo.color.lab`; white point D65.
"""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.color.lab import AB_SCALE, f_inverse, f_of_lightness
from zoo.color.srgb import D65, FROM_XYZ, LUMINANCE, from_linear, to_linear

# Linear RGB = Y + p·(X − Y) + q·(Z − Y), with X, Y, Z over white's: a neutral colour gets R = G = B to the bit.
_ROWS = tuple((x * D65[0], z * D65[2]) for x, _, z in FROM_XYZ)
_TOLERANCE = 1e-4  # of linear RGB beyond [0, 1]: a third of a step of 8 bits; covers the rounding of 8-bit colours
_HALVINGS = 14  # the scale of ab is found to 2⁻¹⁴


@torch.no_grad()
def in_gamut(L: Tensor, ab: Tensor) -> tuple[Tensor, Tensor]:
    """Lower chroma at constant L and hue until a colour is inside sRGB; colours inside stay as they are.

    No more is taken away than must be, except in a sliver of yellows (L* 94 to 98, hue 100 to 106°): there the way
    from grey to a colour leaves sRGB and comes back, and the colour may be brought to where it first left.

    Args:
        L: (N, 1, H, W) in [-1, 1].
        ab: (N, 2, H, W), a*, b* / 110, of any size.

    Returns:
        ab (N, 2, H, W) of the colours kept, and their sRGB (N, 3, H, W) in [0, 1].
    """
    ab, rgb = _fit(f_of_lightness(L), ab)
    return ab, _encode(rgb)


@torch.no_grad()
def to_uint8(L: Tensor, ab: Tensor) -> Tensor:
    """Images at rest: L (N, 1, H, W) in [-1, 1] and ab (N, 2, H, W) of any size → (N, H, W, 3) uint8 sRGB.

    Colours go through `in_gamut`. L* of the result is that of ``L`` to within the rounding of 8 bits: at most 0.22
    off (half a step of green; 0.07 on average), or, where ab is exactly 0 and so R = G = B, at most 0.26 (half a step
    of grey). 8-bit colours whose ab is left alone, and the L of 8-bit greys, come back with the same bytes.
    """
    f = f_of_lightness(L)
    _, rgb = _fit(f, ab)
    linear = to_linear(torch.arange(256, device=L.device) / 255)
    red, blue = _round(_encode(rgb[:, :1])), _round(_encode(rgb[:, 2:]))
    missing = f_inverse(f) - LUMINANCE[0] * _look_up(linear, red) - LUMINANCE[2] * _look_up(linear, blue)
    green = _round(_encode(missing / LUMINANCE[1]))
    green = torch.where((ab == 0).all(dim=1, keepdim=True), red, green)
    return torch.cat([red, green, blue], dim=1).permute(0, 2, 3, 1).contiguous()


def _fit(f: Tensor, ab: Tensor) -> tuple[Tensor, Tensor]:
    """f(Y) (N, 1, H, W), ab (N, 2, H, W) → ab inside sRGB, and linear RGB (N, 3, H, W)."""
    rgb = _linear(f, ab)
    outside = ~_inside(rgb)  # (N, 1, H, W)
    if not outside.any():
        return ab, rgb
    f_out = f[outside][None, None]  # (1, 1, M)
    ab_out = ab.movedim(1, 0)[:, outside[:, 0]][None]  # (1, 2, M)
    scale = torch.zeros_like(f_out)
    for k in range(1, _HALVINGS + 1):  # bisection: ``scale`` itself is always inside
        larger = scale + 0.5**k
        scale = torch.where(_inside(_linear(f_out, larger * ab_out)), larger, scale)
    ab_out = scale * ab_out
    ab = ab.clone()
    ab.movedim(1, 0)[:, outside[:, 0]] = ab_out[0]
    rgb.movedim(1, 0)[:, outside[:, 0]] = _linear(f_out, ab_out)[0]
    return ab, rgb


def _linear(f: Tensor, ab: Tensor) -> Tensor:
    """f(Y) (N, 1, …), ab (N, 2, …) → linear RGB (N, 3, …), unclipped."""
    Y = f_inverse(f)
    X = f_inverse(torch.add(f, ab[:, :1], alpha=AB_SCALE / 500)).sub_(Y)
    Z = f_inverse(torch.sub(f, ab[:, 1:], alpha=AB_SCALE / 200)).sub_(Y)
    rgb = Y.new_empty(Y.shape[0], 3, *Y.shape[2:])
    for i, (p, q) in enumerate(_ROWS):  # in place: fresh memory costs more than the sums
        torch.add(Y, X, alpha=p, out=rgb[:, i : i + 1]).add_(Z, alpha=q)
    return rgb


def _inside(rgb: Tensor) -> Tensor:
    return (rgb.amin(dim=1, keepdim=True) >= -_TOLERANCE) & (rgb.amax(dim=1, keepdim=True) <= 1 + _TOLERANCE)


def _encode(linear: Tensor) -> Tensor:
    """Linear → sRGB in [0, 1] (clamped: what reaches beyond is the tolerance, or rounding)."""
    return from_linear(linear).clamp_(0, 1)


def _round(srgb: Tensor) -> Tensor:
    return (srgb * 255).round_().to(torch.uint8)


def _look_up(table: Tensor, index: Tensor) -> Tensor:
    return table.index_select(0, index.flatten().int()).view(index.shape)
