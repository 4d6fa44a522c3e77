"""A painter in place of the model."""

from __future__ import annotations

from pathlib import Path

import pytest

import zoo.photos.colorizer
from support.painting import Painter


@pytest.fixture
def painter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> type[Painter]:
    """Stands in for the model; the working folder is an empty one."""
    Painter.loaded, Painter.asked = [], []
    monkeypatch.setattr(zoo.photos.colorizer, "Colorizer", Painter)
    monkeypatch.chdir(tmp_path)
    return Painter
