"""Which device there is, and what the processor can do."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from zoo.devices import knows_bf16, pick_device
from zoo.errors import ZooError


def test_the_processor_is_always_there() -> None:
    assert pick_device("cpu") == "cpu"


def test_auto_takes_the_gpu_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert pick_device("auto") == "cuda"
    assert pick_device("cuda:1") == "cuda:1"
    with pytest.raises(ZooError, match="cuda:2"):
        pick_device("cuda:2")


@pytest.mark.parametrize(("flags", "known"), [("avx2 fma", False), ("avx512f avx512_bf16", True), ("amx_bf16", True)])
def test_a_processor_says_whether_it_knows_bf16(tmp_path: Path, flags: str, known: bool) -> None:
    (tmp_path / "cpuinfo").write_text(f"processor : 0\nflags : {flags}\n")
    assert knows_bf16(tmp_path / "cpuinfo") == known
    assert knows_bf16(tmp_path / "nowhere")
