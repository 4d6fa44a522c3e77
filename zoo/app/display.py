"""Pictures as the page shows them: small enough to send, large enough to see."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from zoo.color.lab import lab_to_rgb, uint8_to_lab

LONG_SIDE = 1024  # of what is shown of a large photo; downloads keep their size
_SHORT_SIDE = 384  # small faces are enlarged to this, so that there is something to see and to slide over


def shown(rgb: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 → the same picture with its long side at most `LONG_SIDE`, and small ones enlarged."""
    height, width = rgb.shape[:2]
    scale = min(max(1.0, _SHORT_SIDE / min(height, width)), LONG_SIDE / max(height, width))
    return rgb if scale == 1 else resized(rgb, (round(scale * height), round(scale * width)))


def resized(rgb: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(H, W, 3) uint8 → (h, w, 3), antialiased; ``size`` is (h, w), and no side becomes less than a pixel."""
    height, width = (max(1, side) for side in size)
    picture = Image.fromarray(rgb)
    return np.asarray(picture.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=3.0))


def grey(rgb: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 sRGB → neutral grey of the same L*."""
    L, ab = uint8_to_lab(torch.from_numpy(rgb.copy())[None])  # (1, 1, H, W)
    green = lab_to_rgb(L, torch.zeros_like(ab))[0, 1]  # red and blue differ by the rounding of the white point
    return np.repeat((green * 255).round().byte().numpy()[..., None], 3, axis=2)
