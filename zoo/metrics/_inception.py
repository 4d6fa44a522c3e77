"""The features of FID and KID: pytorch-fid's InceptionV3 with the weights of TensorFlow's original."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.weights import WeightsRecord, fill, known_sha, read_state_dict, resolve, sha256_file

RECORD = WeightsRecord(
    name="InceptionV3 of FID",
    filename="pt_inception-2015-12-05-6726825d.pth",
    url="https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth",
    sha256="6726825d",
    license="Apache-2.0",
    megabytes=91,
)
SIDE = 299


class Inception:
    """sRGB (N, 3, H, W) in [0, 1] → pool3 features (N, 2048), as pytorch-fid computes them.

    Resized to 299×299 by ``F.interpolate(bilinear, align_corners=False)`` without antialiasing, then scaled to [-1, 1].
    """

    def __init__(self, net: nn.Module, device: str, sha256: str) -> None:
        self._net, self._device = net, device
        self.identity = f"inception, version 1, {sha256}"

    @torch.no_grad()
    def __call__(self, rgb: Tensor) -> Tensor:
        x = F.interpolate(rgb.to(self._device), (SIDE, SIDE), mode="bilinear", align_corners=False)
        return self._net(2 * x - 1)


def inception_sha(weights: str | None) -> str | None:
    """Of what `load_inception` will read; see `zoo.metrics.Metric.weights_sha`."""
    return RECORD.sha if weights is None else known_sha(weights, RECORD)


def load_inception(weights: str | None, device: str) -> Inception:
    """The network on ``device``; one for all metrics that ask for the same file.

    Args:
        weights: path of a state dict of pytorch-fid's layout; None: torch hub's cache, else its download.

    Raises:
        WeightsNotFoundError: the file cannot be had.
        ZooError: it holds other weights.
    """
    return _load(resolve(RECORD, weights), device)


@lru_cache(maxsize=1)
def _load(path: Path, device: str) -> Inception:
    net = network()
    fill(net, read_state_dict(path), f"{RECORD.name}, in {path}")
    net.fc = nn.Identity()
    return Inception(net.eval().requires_grad_(False).to(device), device, sha256_file(path))


def network() -> nn.Module:
    """torchvision's Inception with pytorch-fid's blocks, which pool as TensorFlow does: ``fid_inception_v3`` without
    its download. Random weights."""
    from pytorch_fid.inception import FIDInceptionA, FIDInceptionC, FIDInceptionE_1, FIDInceptionE_2
    from torchvision.models import inception_v3

    net = inception_v3(weights=None, num_classes=1008, aux_logits=False, init_weights=False)
    net.Mixed_5b = FIDInceptionA(192, pool_features=32)
    net.Mixed_5c = FIDInceptionA(256, pool_features=64)
    net.Mixed_5d = FIDInceptionA(288, pool_features=64)
    net.Mixed_6b = FIDInceptionC(768, channels_7x7=128)
    net.Mixed_6c = FIDInceptionC(768, channels_7x7=160)
    net.Mixed_6d = FIDInceptionC(768, channels_7x7=160)
    net.Mixed_6e = FIDInceptionC(768, channels_7x7=192)
    net.Mixed_7b = FIDInceptionE_1(1280)
    net.Mixed_7c = FIDInceptionE_2(2048)
    return net
