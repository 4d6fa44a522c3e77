"""Numbers that were measured once and are expected ever since.

A change of one is a decision and not an accident: raise the version of what changed (of the encoder, conditioner or
metric, or of training), so that old results are not taken for new ones, and measure again:

    ZOO_WRITE_GOLDEN=1 python -m pytest tests/training/test_golden_losses.py

The diff of the table beside the test then shows what moved, and by how much.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

DIGITS = 6  # significant, in the table
WRITE = "ZOO_WRITE_GOLDEN"


class Golden:
    """A table {case: numbers} in a JSON file.

    Args:
        path: of the table.
        rel: relative tolerance. Processors differ in the last of float32's seven digits, which training magnifies.
        absolute: tolerance of numbers near zero.
    """

    def __init__(self, path: Path, *, rel: float, absolute: float) -> None:
        self.path, self.rel, self.absolute = path, rel, absolute

    def check(self, case: str, found: Sequence[float]) -> None:
        """Compare with the table; with `WRITE` set in the environment put ``found`` there instead."""
        if os.environ.get(WRITE):
            self._write(case, found)
        known = self._read()
        assert case in known, f"{case} is not in {self.path.name}; measure it with {WRITE}=1"
        assert list(found) == pytest.approx(known[case], rel=self.rel, abs=self.absolute)

    def cases(self) -> set[str]:
        """Those in the table."""
        return set(self._read())

    def _read(self) -> dict[str, list[float]]:
        return json.loads(self.path.read_text()) if self.path.exists() else {}

    def _write(self, case: str, found: Sequence[float]) -> None:
        table = self._read() | {case: [float(f"{value:.{DIGITS}g}") for value in found]}
        lines = [f"  {json.dumps(name)}: {json.dumps(table[name])}" for name in sorted(table)]
        self.path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
