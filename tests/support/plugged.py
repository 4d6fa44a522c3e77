"""Plug-ins in files, as third parties write them."""

from __future__ import annotations

HEAD = """
import sys
import numpy as np
import torch
import zoo
from torch import nn
from zoo import registry
from zoo.data import Dataset
from zoo.methods import Method
from zoo.metrics import Metric, Score
"""

ENCODER = """
@zoo.register_encoder("mine")
class Mine(zoo.Encoder):
    def __init__(self, *, width: int = 16) -> None:
        super().__init__(zoo.FeatureSpec((zoo.FeatureLevel(width, 2),), token_dim=width))
        self.conv = nn.Conv2d(1, width, 3, stride=2, padding=1)

    def forward(self, L):
        x = self.conv(L)
        return zoo.Features((x,), x.mean((2, 3))[:, None])
"""

CONDITIONER = """
@registry.conditioners.register("mine")
class Mine(zoo.Conditioner):
    def __init__(self, spec, denoiser_levels) -> None:
        super().__init__(spec, denoiser_levels)
        self.widths = [level.channels for level in denoiser_levels]
        self.shift = nn.Linear(spec.token_dim, sum(self.widths))
        nn.init.zeros_(self.shift.weight)
        self.null = nn.ParameterList([nn.Parameter(torch.zeros(sum(self.widths)))])

    def prepare(self, features, size):
        return (self.shift(features.tokens.mean(1)),)

    def inject(self, h, level, context):
        start = sum(self.widths[:level])
        return h + context[0][:, start : start + h.shape[1], None, None]
"""

METRIC = """
@registry.metrics.register("mine")
class Mine(Metric):
    def __init__(self) -> None:
        self.seen = 0

    def names(self):
        return {"mine": True}

    def update(self, pred, truth):
        self.seen += len(pred)

    def compute(self):
        return [Score("mine", float(self.seen), True)]
"""

DATASET = """
@registry.datasets.register("mine")
class Mine(Dataset):
    def __init__(self) -> None:
        self.shown = {"train": ["a", "b", "c", "d"], "val": ["e"], "test": ["f", "g", "h"]}

    def keys(self, split):
        return self.shown[split]

    def signature(self, split):
        return split

    def load(self, key):
        return np.random.default_rng(ord(key)).integers(0, 255, (16, 16, 3), dtype=np.uint8)
"""

METHOD = """
@registry.methods.register("mine")
class Mine(Method):
    def sample(self, photos, features, generators):
        return torch.zeros_like(photos.ab)
"""

SOURCES = {
    "encoder": HEAD + ENCODER,
    "cond": HEAD + CONDITIONER,
    "metrics": HEAD + METRIC,
    "data": HEAD + DATASET,
    "method": HEAD + METHOD,
}
NODES: dict[str, object] = {  # of the configuration, by the key under which each stands
    "encoder": {"name": "mine"},
    "cond": {"name": "mine"},
    "metrics": {"psnr": {}, "mine": {}},
    "data": {"name": "mine"},
    "method": "mine",
}
