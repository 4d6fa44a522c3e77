"""A colorizer that is quick, and photos in which nobody is looked for."""

from __future__ import annotations

import pytest

from support.models import tiny_model
from support.scenes import put_faces
from zoo.photos.colorizer import Colorizer


@pytest.fixture
def colorizer() -> Colorizer:
    return Colorizer(tiny_model().eval())


@pytest.fixture
def no_faces(monkeypatch: pytest.MonkeyPatch) -> None:
    put_faces(monkeypatch)
