"""A model that is quick, and the page served with it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.models import tiny_model
from zoo import checkpoint as model_files
from zoo.app.checkpoints import discover
from zoo.app.server import ServerConfig, serving


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "small.safetensors"
    model_files.save(tiny_model("unet", "film"), path)
    return path


@pytest.fixture(scope="module")
def site(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page's address; of its uploads at most 3 MB lie there at once, and none is larger than 1 MB."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("temporary")))
        with serving(ServerConfig(port=0, max_mb=1, max_total_mb=3), discover([checkpoint])) as url:
            yield url
