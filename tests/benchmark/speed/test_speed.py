"""What speed.py measures, tried on what is known."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from torch import nn

from zoo.benchmark.speed import rivals, speed
from zoo.benchmark.speed.processes import measured

MANY = 400  # MiB


def test_a_small_childs_memory_is_its_own_however_large_its_parent_has_grown() -> None:
    grown = np.ones(MANY * 2**17)
    _, mebibytes = measured([sys.executable, "-S", "-c", "pass"])
    assert 3 < mebibytes < MANY / 4, f"with {grown.nbytes / 2**20:.0f} MiB in the parent"


def test_a_large_childs_memory_is_seen() -> None:
    _, mebibytes = measured([sys.executable, "-S", "-c", f"x = b'1' * {MANY} * 2**20"])
    assert MANY < mebibytes < 2 * MANY


def test_a_child_that_fails_is_an_error_with_what_it_said() -> None:
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        measured([sys.executable, "-S", "-c", "1 / 0"])


@pytest.mark.parametrize("name", rivals.RIVALS)
def test_a_rival_that_is_not_installed_is_a_row_that_says_so(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("diffusers", "denoising_diffusion_pytorch"):
        monkeypatch.setitem(sys.modules, module, None)  # type: ignore[arg-type]
    what, told, _ = speed.against(name, "cpu", rounds=1)
    assert name in what
    assert "is not installed" in told


def test_a_rivals_step_trains_every_parameter() -> None:
    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 2, 1)

        def forward(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
            return self.conv(x) * t[:, None, None, None]

    network = Network()
    before = [p.detach().clone() for p in network.parameters()]
    rivals.step(network, 2, "cpu")()
    assert all(not torch.equal(p, old) for p, old in zip(network.parameters(), before))
