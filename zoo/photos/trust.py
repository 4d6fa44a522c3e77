"""The colouring that can be trusted: what a model expects, which is pale where colourings would disagree.

From pure noise, which tells nothing, a network that says x0 or v says at once the mean of all colourings that it holds
possible: the first step of sampling. On validation photos one such step is as near to the truth, at the same
colourfulness, as the mean of eight samples, held back where they disagree or not (docs/colouring.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from zoo.color.even import evened

STRENGTH = 1.15  # of the mean around faces: it is paler than any photo, and so much more costs hardly any distance


def says_at_once(diffusion: Mapping[str, Any]) -> bool:
    """Whether a model of that specification says its mean in one step: eps, divided by hardly any signal, does not."""
    return str(diffusion.get("parameterisation", "v")) != "eps"


def trusted(expected: Tensor, L: Tensor, *, face: bool, told: bool) -> Tensor:
    """ab to show where a model expects ``expected`` (1, 2, H, W) for ``L`` (1, 1, H, W).

    Around faces it is evened out where nothing is to be seen that would bound a colour: even the mean has blotches on
    plain backdrops and skies.

    Args:
        face: it is a face's, whose mean is vivid enough and has the face's own shades.
        told: the user said colours of that photo, which are to be those that were said, where they were said.
    """
    return expected if face or told else STRENGTH * evened(expected, L)
