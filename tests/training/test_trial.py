"""Two images go through encoder and conditioner before training: what is sound passes."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from support.models import tiny_model
from zoo.training import trial

SUM: dict[str, Any] = {"name": "sum", "parts": {"concat": {}, "film": {}}}


@pytest.mark.parametrize(
    "cond", [{"name": name} for name in ("none", "concat", "film", "xattn", "add", "spade")] + [SUM]
)
def test_every_conditioner_passes_and_sums_of_them_too(cond: dict[str, Any]) -> None:
    trial.try_out(tiny_model(cond=cond), torch.zeros(2, 1, 16, 16))
