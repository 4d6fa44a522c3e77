"""Structural similarity (Wang et al. 2004)."""

from __future__ import annotations

from torch import Tensor

from zoo.metrics._per_image import PerImageMetric, require_side
from zoo.registry import metrics

WINDOW = 11


@metrics.register("ssim")
class SSIM(PerImageMetric):
    """Mean over pixels and the three sRGB channels, per image, in [-1, 1]: kornia's, with the paper's settings.

    Gaussian window of 11 pixels and σ = 1.5, biased covariances, K = (0.01, 0.03), range 1, only windows that lie
    inside the image: scikit-image's ``structural_similarity(gaussian_weights=True, sigma=1.5,
    use_sample_covariance=False, data_range=1)``. A colouring keeps L, so all values are high.

    Raises:
        ZooError: images smaller than the window.
    """

    def names(self) -> dict[str, bool | None]:
        return {"ssim": True}

    def measure(self, pred: Tensor, truth: Tensor) -> dict[str, Tensor]:
        from kornia.metrics import ssim

        require_side(pred, WINDOW, "ssim")
        return {"ssim": ssim(pred, truth, WINDOW, max_val=1.0, padding="valid").mean(dim=(1, 2, 3))}
