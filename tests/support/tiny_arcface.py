"""A face recogniser of MobileFaceNet's layout that is a few kilobytes: random weights, 112×112, as an .onnx file."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

CHANNELS, EMBEDDING = {4: 8, 8: 12, 16: 16}, 24


class Bottleneck(nn.Module):
    """Expand, depthwise, project; added to its input where the stride is 1."""

    def __init__(self, enter: int, leave: int, stride: int) -> None:
        super().__init__()
        self.residual = stride == 1
        self.body = nn.Sequential(
            nn.Conv2d(enter, 2 * leave, 1), nn.PReLU(2 * leave),
            nn.Conv2d(2 * leave, 2 * leave, 3, stride, 1, groups=2 * leave), nn.PReLU(2 * leave),
            nn.Conv2d(2 * leave, leave, 1), nn.BatchNorm2d(leave),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x) if self.residual else self.body(x)


class TinyArcFace(nn.Module):
    """``scales``: takes 0..255 and begins by subtracting and scaling, as some of insightface's files do."""

    def __init__(self, *, scales: bool) -> None:
        super().__init__()
        self.scales = scales
        a, b, c = CHANNELS.values()
        self.net = nn.Sequential(
            nn.Conv2d(3, 8, 3, 2, 1), nn.PReLU(8),
            Bottleneck(8, a, 2), Bottleneck(a, a, 1),
            Bottleneck(a, b, 2), Bottleneck(b, b, 1),
            Bottleneck(b, c, 2), Bottleneck(c, c, 1),
            nn.Conv2d(c, c, 7, groups=c), nn.Flatten(), nn.Linear(c, EMBEDDING), nn.BatchNorm1d(EMBEDDING),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return self.net((x - 127.5) * (1 / 127.5) if self.scales else x)


def export(module: nn.Module, path: Path, batch: int = 1, *, any_batch: bool = True) -> Path:
    """Write ``module``, which takes (N, 3, 112, 112), to ``path`` and return it."""
    axes = {"data": {0: "N"}, "fc1": {0: "N"}} if any_batch else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(), (torch.zeros(batch, 3, 112, 112),), str(path), input_names=["data"], output_names=["fc1"],
            dynamic_axes=axes, opset_version=17, dynamo=False,
        )  # fmt: skip
    return path


def tiny_arcface(path: Path, *, scales: bool = True) -> Path:
    """The same weights every time; ``scales`` as in `TinyArcFace`."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        return export(TinyArcFace(scales=scales), path)
