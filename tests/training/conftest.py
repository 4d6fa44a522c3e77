"""What most tests of training start from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.threads import one_thread
from zoo.data import Dataset
from zoo.registry import datasets


@pytest.fixture(autouse=True)
def _alone() -> Iterator[None]:
    """Sums are taken in one order, so that the same training gives the same bits."""
    with one_thread():
        yield


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return datasets.create("synthetic", n_train=8, n_val=1, n_test=1, size=32)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")
