"""Where several colourings of one photo disagree."""

from __future__ import annotations

import numpy as np

_VISIBLE = 2.3  # a difference of one just-noticeable step in Lab (Mahy, Van Eycken and Oosterlinck 1994)


def heat_map(spread: np.ndarray) -> tuple[np.ndarray, float]:
    """Disagreement as colours of viridis, from none (dark) to the most (bright).

    Args:
        spread: (h, w) mean over a* and b* of the samples' standard deviation, in Lab units.

    Returns:
        (h, w, 3) uint8 sRGB, and the spread that the brightest colour stands for: what 1 % of the picture exceeds,
        but no less than an eye can see, so that noise is not blown up into a pattern.
    """
    top = max(_VISIBLE, float(np.quantile(spread, 0.99)))
    index = np.clip(spread / top * 255, 0, 255).round().astype(np.uint8)
    return _viridis()[index], top


def legend(top: float) -> str:
    """The map's scale as HTML, with what it means in words."""
    stops = ", ".join(f"rgb({r} {g} {b})" for r, g, b in _viridis()[::15])
    return (
        f'<div class="scale" style="background: linear-gradient(90deg, {stops})"></div>'
        f'<div class="ends"><span>samples agree</span><span>differ by ±{top:.1f} Lab units or more</span></div>'
        f"<p>About {_VISIBLE} units is a difference that an eye just sees. Bright places are those whose colour the "
        "model guesses; dark ones may still be wrong in all samples alike.</p>"
    )


def _viridis() -> np.ndarray:
    """(256, 3) uint8."""
    from kornia.color import ColorMap

    return (ColorMap("viridis", 256).colors.T * 255).round().byte().numpy()
