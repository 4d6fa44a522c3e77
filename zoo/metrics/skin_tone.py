"""Does a colouring change the colour of the skin? Errors of its b*, hue angle and chroma."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.color.lab import cie_lab
from zoo.metrics._per_image import PerImageMetric
from zoo.registry import metrics

_HUE = (15.0, 85.0)  # degrees of atan2(b*, a*), chroma C* and lightness L*: generous bounds of skin under usual light
_CHROMA = (8.0, 60.0)
_LIGHTNESS = (15.0, 95.0)
_LEAST = 0.02  # of the face's ellipse that must look like skin in the truth


@metrics.register("skin_tone")
class SkinTone(PerImageMetric):
    """Colour of the skin, colouring against truth, by the medians of its a* and b*.

    * ``skin_b``: of b*, in Lab units. Positive: too yellow.
    * ``skin_hue``: of the hue angle atan2(b*, a*), in degrees. Positive: too yellow or green, negative: too red. It
      means little where a colouring has hardly any chroma.
    * ``skin_chroma``: of √(a*² + b*²), in Lab units. Positive: too vivid.

    Each as ``…_abs_diff``, the mean over images of \\|colouring − truth\\|, and ``…_diff``, with its sign; with the
    number of images and the mean's 95 % interval in the note; with ``by_group``, for each group of faces too. Not the
    individual typology angle: L* is given, so that its error is one of b* weighed by lightness, and differs between
    groups of people whose skin is coloured equally well.

    Skin is looked for in the truth alone: pixels of a plausible skin colour in the middle of the image, where a framed
    face is. An image without such pixels (a grey photo) has no value and does not count.
    """

    version = 2
    by_group = True
    intervals = True

    def names(self) -> dict[str, bool | None]:
        return {
            f"skin_{part}{suffix}": better
            for part in ("b", "hue", "chroma")
            for suffix, better in (("_abs_diff", False), ("_diff", None))
        }

    def measure(self, pred: Tensor, truth: Tensor) -> dict[str, Tensor]:
        found, real = cie_lab(pred), cie_lab(truth)
        skin = skin_mask(real)
        differences = skin_color(found, skin) - skin_color(real, skin)  # (3, N)
        values: dict[str, Tensor] = {}
        for part, difference in zip(("b", "hue", "chroma"), differences, strict=True):
            if part == "hue":
                difference = (difference + 180) % 360 - 180
            values |= {f"skin_{part}_abs_diff": difference.abs(), f"skin_{part}_diff": difference}
        return values


def skin_mask(lab: Tensor) -> Tensor:
    """Which pixels of framed faces look like skin.

    Args:
        lab: (N, 3, H, W), L* in 0..100.

    Returns:
        (N, H, W) bool; nowhere true in an image that shows too little of it.
    """
    L, a, b = lab.unbind(dim=1)
    hue, chroma = torch.rad2deg(torch.atan2(b, a)), torch.hypot(a, b)
    ellipse = _ellipse(lab.shape[-2], lab.shape[-1]).to(lab.device)
    skin = ellipse & _within(hue, _HUE) & _within(chroma, _CHROMA) & _within(L, _LIGHTNESS)
    enough = skin.sum(dim=(1, 2)) >= _LEAST * ellipse.sum()
    return skin & enough[:, None, None]


def skin_color(lab: Tensor, skin: Tensor) -> Tensor:
    """b*, hue in degrees and chroma, (3, N), of the median a* and b* of the pixels ``skin`` (N, H, W) of ``lab``
    (N, 3, H, W); NaN where there are none."""
    hidden = lab.masked_fill(~skin[:, None], float("nan")).flatten(2)  # (N, 3, HW)
    _, a, b = hidden.nanmedian(dim=2).values.unbind(dim=1)  # (N,)
    return torch.stack([b, torch.rad2deg(torch.atan2(b, a)), torch.hypot(a, b)])


def _ellipse(height: int, width: int) -> Tensor:
    """The middle of the image: 60 % of its width, 80 % of its height."""
    y = torch.linspace(-1, 1, height)[:, None] / 0.8
    x = torch.linspace(-1, 1, width)[None] / 0.6
    return x**2 + y**2 <= 1


def _within(x: Tensor, bounds: tuple[float, float]) -> Tensor:
    return (x >= bounds[0]) & (x <= bounds[1])
