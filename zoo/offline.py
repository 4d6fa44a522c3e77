"""Looking at what is here, without fetching what is not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_downloads() -> Iterator[None]:
    """Inside, weights that are not on this machine are an error (`zoo.weights`), as with ZOO_OFFLINE=1."""
    before = os.environ.get("ZOO_OFFLINE")
    os.environ["ZOO_OFFLINE"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["ZOO_OFFLINE"]
        else:
            os.environ["ZOO_OFFLINE"] = before
