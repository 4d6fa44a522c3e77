"""Conditioners whose every weight matters, and what comes to a stage."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

import zoo
from support.opened import normal, opened
from zoo.conditioners import Conditioner
from zoo.conformance.conditioner import LEVELS, SIZE, SPECS

NAMES = [name for name in zoo.list_conditioners() if name != "none"]


def built(name: str, kind: str, **options: Any) -> Conditioner:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return opened(zoo.create_conditioner(name, SPECS[kind], LEVELS, **options)).eval()


def stage(level: int) -> Tensor:
    """What comes to a stage, (3, C, h, w)."""
    x = LEVELS[level]
    return normal(3, x.channels, SIZE[0] // x.stride, SIZE[1] // x.stride, seed=level)
