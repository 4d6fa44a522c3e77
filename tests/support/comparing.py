"""`facezoo compare` and what it is given and says."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from support.rows import row
from zoo.benchmark.tables import rows
from zoo.commands import main


def table_of(tmp_path: Path, *some: rows.Row) -> str:
    path = tmp_path / "t.csv"
    rows.write(path, some)
    return str(path)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    return main(arguments, command="compare")


def seeds(encoder: str, value: float, higher: bool | None = True) -> list[rows.Row]:
    """Three runs about ``value``, of which seeds take 0.1 either way, and what is left a tenth of that."""
    left = {"arcface": 1, "facenet": -1}.get(encoder, 0)
    return [
        row(
            f"{encoder}-{i}",
            value=value + 0.1 * (i - 1) + 0.01 * left * (i == 1),
            seed=i,
            encoder=encoder,
            higher_is_better=higher,
        )
        for i in range(3)
    ]


def differences(told: str, metric: str, kind: str = "score") -> dict[str, dict[str, str]]:
    """The rows of one metric in a tidy CSV that have a difference, by their cell."""
    found = [line for line in csv.DictReader(told.splitlines()) if line["metric"] == metric and line["kind"] == kind]
    named = {" × ".join(filter(None, (line["encoder"], line["cond"]))) or line["method"]: line for line in found}
    return {name: line for name, line in named.items() if line["verdict"]}
