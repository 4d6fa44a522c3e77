"""A model that is quick, the page served with it, and visits to the page in a browser."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PIL import Image

from support.models import tiny_model
from zoo import checkpoint as model_files
from zoo.app.actions import Actions
from zoo.app.checkpoints import Checkpoint, discover
from zoo.app.server import ServerConfig, serving
from zoo.app.store import Store

if TYPE_CHECKING:
    from support.visiting import Visit


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "small.safetensors"
    model_files.save(tiny_model("unet", "film"), path)
    return path


@pytest.fixture(scope="session")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photos") / "old.png"
    ramp = np.linspace(30, 220, 48 * 40).reshape(40, 48).astype(np.uint8)
    Image.fromarray(ramp).save(path)
    return path


@pytest.fixture
def actions(checkpoint: Path, tmp_path: Path) -> Actions:
    return Actions({"small": Checkpoint.read(checkpoint)}, Store(tmp_path / "served", 10**9), 1_000_000, "cpu")


@pytest.fixture(scope="module")
def site(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page's address; of its uploads at most 3 MB lie there at once, and none is larger than 1 MB."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("temporary")))
        with serving(ServerConfig(port=0, max_mb=1, max_total_mb=3), discover([checkpoint])) as url:
            yield url


@pytest.fixture(scope="module")
def page_of_three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """With models that make everything about equally orange, are plain, and can be told colours."""
    from support.visiting import listening_model

    folder = tmp_path_factory.mktemp("models")
    model = tiny_model("unet", "film")
    model.ab_mean.copy_(torch.tensor([0.2, 0.3])[:, None, None])
    model_files.save(model, folder / "orange.safetensors")
    model_files.save(tiny_model("none", "none"), folder / "plain.safetensors")
    model_files.save(listening_model(), folder / "listening.safetensors")
    files = [folder / f"{name}.safetensors" for name in ("orange", "plain", "listening")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(folder))
        with serving(ServerConfig(port=0, max_mb=1), discover(files)) as url:
            yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from support.chromium import launched

    with launched() as chromium:
        yield chromium


@pytest.fixture(params=["desktop", "phone"])
def visit(browser: Any, page_of_three: str, request: pytest.FixtureRequest) -> Iterator[Visit]:
    from support.visiting import Visit

    kept = os.environ.get("ZOO_SCREENSHOTS")
    pictures = Path(kept) if kept else None
    if pictures:
        pictures.mkdir(parents=True, exist_ok=True)
    visit = Visit(browser, page_of_three, request.param, pictures)
    yield visit
    assert [text for text in visit.complaints if "Content Security Policy" in text] == []
    visit.page.context.close()


@pytest.fixture
def old_photo(tmp_path: Path) -> Path:
    """An old photo: grey, neither bright nor dark, 200 × 160."""
    path = tmp_path / "old photo.png"
    y, x = np.mgrid[:160, :200]
    Image.fromarray((120 + 40 * np.sin(x / 17) * np.sin(y / 13)).astype(np.uint8)).save(path)
    return path
