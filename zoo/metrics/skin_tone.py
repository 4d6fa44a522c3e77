"""Does a colouring change the tone of the skin? The individual typology angle (Chardon, Cretois & Hourseau 1991)."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.metrics._per_image import PerImageMetric
from zoo.registry import metrics

_HUE = (15.0, 85.0)  # degrees of atan2(b*, a*), chroma C* and lightness L*: generous bounds of skin under usual light
_CHROMA = (8.0, 60.0)
_LIGHTNESS = (15.0, 95.0)
_LEAST = 0.02  # of the face's ellipse that must look like skin in the truth


@metrics.register("skin_tone")
class SkinTone(PerImageMetric):
    """Individual typology angle of the skin, colouring against truth, in degrees.

    ITA = atan2(L* − 50, b*), of the median L* and b* of the skin: above 55° very light, 41–55 light, 28–41
    intermediate, 10–28 tan, −30–10 brown, below −30 dark. L* is given, so an error is one of b*.

    * ``skin_tone_error``: mean over images of \\|colouring − truth\\|; with ``by_group``, for each group of faces too.
    * ``skin_tone_bias``: mean of the signed difference. Positive: the colourings are too blue or pale, as if lighter.

    Skin is looked for in the truth alone: pixels of a plausible skin colour in the middle of the image, where a framed
    face is. An image without such pixels (a grey photo) has no value and does not count.
    """

    by_group = True

    def names(self) -> dict[str, bool | None]:
        return {"skin_tone_error": False, "skin_tone_bias": None}

    def measure(self, pred: Tensor, truth: Tensor) -> dict[str, Tensor]:
        from kornia.color import rgb_to_lab

        found, real = rgb_to_lab(pred), rgb_to_lab(truth)
        skin = skin_mask(real)
        bias = typology_angle(found, skin) - typology_angle(real, skin)
        bias = (bias + 180) % 360 - 180
        return {"skin_tone_error": bias.abs(), "skin_tone_bias": bias}


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


def typology_angle(lab: Tensor, skin: Tensor) -> Tensor:
    """ITA in degrees (N,) of the pixels ``skin`` (N, H, W) of ``lab`` (N, 3, H, W); NaN where there are none."""
    hidden = lab.masked_fill(~skin[:, None], float("nan")).flatten(2)  # (N, 3, HW)
    L, _, b = hidden.nanmedian(dim=2).values.unbind(dim=1)  # (N,)
    return torch.rad2deg(torch.atan2(L - 50, b))


def _ellipse(height: int, width: int) -> Tensor:
    """The middle of the image: 60 % of its width, 80 % of its height."""
    y = torch.linspace(-1, 1, height)[:, None] / 0.8
    x = torch.linspace(-1, 1, width)[None] / 0.6
    return x**2 + y**2 <= 1


def _within(x: Tensor, bounds: tuple[float, float]) -> Tensor:
    return (x >= bounds[0]) & (x <= bounds[1])
