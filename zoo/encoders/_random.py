"""Random weights that are worth comparing with: batch normalisations take their statistics from training photos.

As it is built, a normalisation holds a mean of 0 and a variance of 1, which are not those of what it sees, and a
frozen one never learns better. Signals then fade from layer to layer (ArcFace's coarsest map has a deviation of 10⁻⁴,
its embedding is the same for all photos), what all photos share outweighs in what they differ (1000 times, in FaceNet),
and timm's residual branches are multiplied by 0.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from zoo.color.lab import uint8_to_lightness
from zoo.encoders import Encoder, Images, Teach
from zoo.progress import OnStep

PHOTOS, BATCH = 256, 32


class Adapting(Encoder):
    """An encoder whose normalisations are adapted where its weights are random and frozen.

    Attributes:
        adapts: whether they are. Set by the subclass.
    """

    adapts: bool = False

    @classmethod
    def in_use(cls, options: dict[str, Any]) -> dict[str, Any]:
        """Without ``adapted`` unless it is in effect."""
        does = not options.get("pretrained", True) and options.get("frozen", True) and options.get("adapted", True)
        rest = {name: value for name, value in options.items() if name != "adapted"}
        return rest | {"adapted": True} if does else rest

    def pretrain(
        self, images: Images, *, cache_dir: Path, device: str = "cpu", on_step: OnStep | None = None, teach: Teach
    ) -> None:
        """Adapt to 256 of the training images, all of each as the denoiser sees it. What is adapted already stays."""
        norms = [norm for norm in self.modules() if isinstance(norm, (nn.BatchNorm1d, nn.BatchNorm2d))]
        if not self.adapts or not norms or all(norm.num_batches_tracked for norm in norms):
            return
        for norm in norms:
            norm.reset_parameters()  # and its statistics
            norm.momentum = None  # all batches count alike
            norm.train()
        chosen = np.random.default_rng(0).permutation(len(images))[:PHOTOS]
        self.to(device)
        with torch.no_grad():
            for indices in np.array_split(chosen, -(-len(chosen) // BATCH)):
                self(uint8_to_lightness(torch.from_numpy(images.batch(np.sort(indices))).to(device)))
        self.eval()
