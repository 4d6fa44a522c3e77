"""Shift-tolerant LPIPS (Ghildyal & Liu 2022)."""

from __future__ import annotations

from torch import Tensor

from zoo.metrics._per_image import PerImageMetric, require_side
from zoo.metrics._st_lpips import LEAST_SIDE, load_st_lpips, st_lpips_sha
from zoo.registry import metrics


@metrics.register("st_lpips")
class STLPIPS(PerImageMetric):
    """Distance of AlexNet activations, weighted to agree with people's judgements; images at their own size.

    Needs the extra ``stlpips``, and no download. Rewards average colours, as LPIPS does.
    """

    def names(self) -> dict[str, bool | None]:
        return {"st_lpips": False}

    def weights_sha(self) -> str | None:
        return st_lpips_sha()

    def load(self, device: str) -> None:
        self._net, self._device = load_st_lpips(device), device

    def measure(self, pred: Tensor, truth: Tensor) -> dict[str, Tensor]:
        require_side(pred, LEAST_SIDE, "st_lpips")
        pred, truth = pred.to(self._device), truth.to(self._device)
        return {"st_lpips": self._net(2 * pred - 1, 2 * truth - 1).flatten()}
