"""Encoders that tests can build without weights; commands without their imports; a machine that reads no HEIC."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

import zoo
from support.killing import Commands
from support.killing import commands as forking
from support.makers import Make, Options
from support.tiny_arcface import tiny_arcface
from zoo.encoders import Encoder
from zoo.reading import kinds


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ArcFace file of the real layout, small and random."""
    return tiny_arcface(tmp_path_factory.mktemp("arcface") / "tiny.onnx")


@pytest.fixture(scope="session")
def weightless(tiny: Path) -> Options:
    """The options by which an encoder needs no weights but what a test can make."""
    needs: dict[str, dict[str, Any]] = {
        "arcface": {"weights": str(tiny), "pretrained": False},
        "dino": {"model": "test_vit.r160_in1k", "pretrained": False, "input_size": 64},
        "facenet": {"pretrained": False},
        "timm": {"model": "test_resnet.r160_in1k", "pretrained": False, "input_size": 64},
    }
    return lambda name: needs.get(name, {})


@pytest.fixture(scope="session")
def make(weightless: Options) -> Make:
    """Any registered encoder, with no weights but what a test can make."""

    def build(name: str, **options: Any) -> Encoder:
        torch.manual_seed(0)
        return zoo.create_encoder(name, **{**weightless(name), **options})

    return build


@pytest.fixture(scope="session")
def commands() -> Iterator[Commands]:
    with forking() as found:
        yield found


@pytest.fixture
def without_heif() -> Iterator[None]:
    """As where pillow-heif is not installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kinds, "reads_heif", lambda: False)
        kinds.kinds.cache_clear()
        yield
    kinds.kinds.cache_clear()
