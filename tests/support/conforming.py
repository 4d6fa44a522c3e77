"""Which promises a plug-in breaks."""

from __future__ import annotations

from typing import Any

import pytest

from zoo.conformance import check
from zoo.registry import REGISTRIES


def broken(monkeypatch: pytest.MonkeyPatch, kind: str, cls: type, **options: Any) -> dict[str, str]:
    """The checks that a class breaks, and how."""
    monkeypatch.setitem(REGISTRIES[kind]._classes, "mine", cls)
    return {result.check: result.detail for result in check(kind, "mine", options, costs=False).broken}
