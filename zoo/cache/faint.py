"""Features that hardly depend on the photo: a comparison with such an encoder says nothing, so it is told."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from zoo.features import Features

LEAST = 0.01  # pretrained networks have .1 to .7; a random FaceNet as it is built .001, its embedding 10⁻⁵


def faint(features: Features) -> dict[str, float]:
    """Of several photos: what is next to the same for all of them → how much of it is not.

    Each is normalised as a conditioner will (over the image, with an epsilon of 10⁻⁵, so that what is too small counts
    as constant); what is measured is the mean squared distance from the mean over photos, 1 at most.
    """
    left = {f"map of {'×'.join(map(str, x.shape[1:]))}": _between(x, x.shape[1:]) for x in features.maps}
    if features.tokens is not None:
        left["tokens"] = _between(features.tokens, features.tokens.shape[2:])
    return {name: share for name, share in left.items() if share < LEAST}


def _between(x: Tensor, normalized: tuple[int, ...]) -> float:
    if len(x) < 2 or x[0].numel() < 2:
        return 1.0
    x = F.layer_norm(x.float(), normalized)
    return float((x - x.mean(0)).square().mean())
