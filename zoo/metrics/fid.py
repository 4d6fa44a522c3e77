"""Fréchet Inception distance (Heusel et al. 2017)."""

from __future__ import annotations

from zoo.metrics._frechet import FrechetMetric
from zoo.metrics._inception import inception_sha, load_inception
from zoo.registry import metrics


@metrics.register("fid")
class FID(FrechetMetric):
    """Fréchet distance of pytorch-fid's Inception features, between colourings and their truths.

    Inception file ``pt_inception-2015-12-05-6726825d.pth``; images resized to 299×299 bilinearly, without
    antialiasing, as pytorch-fid does. Biased upwards at a small N: give N beside it, never compare across N.

    Args:
        weights: path of that file; None: torch hub's cache, else a download.
    """

    name = "fid"

    def __init__(self, weights: str | None = None) -> None:
        super().__init__()
        self.weights = weights

    def weights_sha(self) -> str | None:
        return inception_sha(self.weights)

    def load(self, device: str) -> None:
        self.extractor = load_inception(self.weights, device)
