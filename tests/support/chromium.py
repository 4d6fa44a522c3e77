"""The system's Chromium, without a window."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright (in the extra dev)")
CHROMIUM = os.environ.get("ZOO_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
NEEDED = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium, or ZOO_TEST_CHROMIUM=PATH"),
]


FIRST_ON_A_SCREEN = pytest.mark.parametrize(  # of a page whose parts others try on a phone
    "visit", ["desktop", pytest.param("phone", marks=pytest.mark.long)], indirect=True
)


@contextmanager
def launched() -> Iterator[Any]:
    """A browser, for as long as the block lasts."""
    sync_api.expect.set_options(timeout=60_000)  # a machine may have more to do
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield chromium
        chromium.close()
