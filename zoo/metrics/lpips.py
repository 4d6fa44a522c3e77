"""LPIPS (Zhang et al. 2018)."""

from __future__ import annotations

import warnings
from typing import Any

from torch import Tensor, nn

from zoo.metrics._per_image import PerImageMetric, require_side
from zoo.registry import metrics
from zoo.weights import WeightsRecord, fill, known_sha, packaged_sha, read_state_dict, resolve

RECORD = WeightsRecord(
    name="AlexNet (ImageNet)",
    filename="alexnet-owt-7be5be79.pth",
    url="https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
    sha256="7be5be79",
    license="BSD-3-Clause (torchvision)",
    megabytes=233,
)
LEAST_SIDE = 32


@metrics.register("lpips")
class LPIPS(PerImageMetric):
    """Package lpips, version 0.1, AlexNet; images at their own size. Rewards average colours: do not rank by it alone.

    Args:
        weights: path of torchvision's AlexNet, ``alexnet-owt-7be5be79.pth``; None: torch hub's cache, else a download.
            The linear weights on top of it are inside the package.
    """

    def __init__(self, weights: str | None = None) -> None:
        super().__init__()
        self.weights = weights

    def names(self) -> dict[str, bool | None]:
        return {"lpips": False}

    def weights_sha(self) -> str | None:
        trunk = RECORD.sha if self.weights is None else known_sha(self.weights, RECORD)
        linear = packaged_sha("lpips", "weights/v0.1/alex.pth")
        return f"{trunk} {linear}" if trunk and linear else trunk

    def load(self, device: str) -> None:
        path = resolve(RECORD, self.weights)
        self._net = _network()
        _fill_trunk(self._net.net, read_state_dict(path), f"{RECORD.name}, in {path}")
        self._net.eval().requires_grad_(False).to(device)
        self._device = device

    def measure(self, pred: Tensor, truth: Tensor) -> dict[str, Tensor]:
        require_side(pred, LEAST_SIDE, "lpips")
        pred, truth = pred.to(self._device), truth.to(self._device)
        return {"lpips": self._net(2 * pred - 1, 2 * truth - 1).flatten()}


def _network() -> Any:
    """The metric with its linear layers, and a random trunk: its own way to fill that is an unchecked download."""
    import lpips

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it calls torchvision in a deprecated way
        return lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)


def _fill_trunk(trunk: nn.Module, state: dict[str, Tensor], what: str) -> None:
    """Load the convolutions of torchvision's AlexNet: ``features.3.weight`` is the trunk's ``slice2.3.weight``."""
    places = {f"features.{name.split('.', 1)[1]}": name for name in trunk.state_dict()}
    convolutions = {places.get(name, name): value for name, value in state.items() if name.startswith("features.")}
    fill(trunk, convolutions, what)
