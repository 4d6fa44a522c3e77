"""The types of the fixtures that build encoders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zoo.encoders import Encoder

Make = Callable[..., Encoder]  # (name, **options) → that encoder, with no weights but what a test can make
Options = Callable[[str], dict[str, Any]]  # name → the options by which it needs no others
