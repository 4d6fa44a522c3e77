"""One browser for the page and its modules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from support.chromium import launched
from support.demo import DEMO, Modules, served


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def modules(browser: Any) -> Iterator[Modules]:
    """As they lie in docs/demo, without models."""
    with served(DEMO) as site:
        yield Modules(browser.new_page(), site.address)
