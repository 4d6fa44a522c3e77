"""Tables that others send are readable, scored as they say, and hold no secrets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.rows import row
from zoo.benchmark.config.plugins import CONFIGS
from zoo.benchmark.runs.identity import protocol_id
from zoo.benchmark.tables import rows
from zoo.benchmark.tables.community import problems

PROTOCOL = {"metric": {"name": "psnr"}, "image_size": 64}


def sent(folder: Path, *, record: dict[str, Any] | None = None, **cells: Any) -> Path:
    """A table as it should be, but for what is said."""
    cells = {"protocol_id": protocol_id(PROTOCOL), "note": "3 images, 95 % interval 1 to 2", **cells}
    rows.write(folder / "t.csv", [row("r", "psnr", 20.0, **cells)])
    known = {"spec": {"method": {"name": "folder", "label": "A/B"}}, "protocols": {"psnr": PROTOCOL}, **(record or {})}
    (folder / "t.specs.json").write_text(json.dumps({"r": known}))
    (folder / "t.md").write_text("    facezoo score --outputs out --truth truth --table t.csv\n")
    return folder


def test_what_is_in_the_folder_may_be_there() -> None:
    assert problems(CONFIGS.parent / "results" / "community") == []


def test_a_table_as_it_should_be_is_taken(tmp_path: Path) -> None:
    assert problems(sent(tmp_path)) == []


def test_a_table_that_does_not_parse_is_told(tmp_path: Path) -> None:
    table = sent(tmp_path) / "t.csv"
    table.write_text(table.read_text() + "a,b\n")
    assert "line 3: 2 fields" in problems(tmp_path)[0]


def test_a_protocol_that_is_not_written_down_or_another_is_told(tmp_path: Path) -> None:
    assert "there is no protocol of psnr" in problems(sent(tmp_path, record={"protocols": {}}))[0]
    other = {"psnr": {**PROTOCOL, "image_size": 128}}
    assert "the protocol of psnr is not" in problems(sent(tmp_path, record={"protocols": other}))[0]


@pytest.mark.parametrize(
    "secret",
    [
        "/home/anna/photos",
        "~/photos",
        "C:\\Users\\anna",
        "anna@example.org",
        "https://example.org/?key=1",
        "hf_abcdefghij",
    ],
)
@pytest.mark.parametrize("place", ["note", "spec"])
def test_paths_addresses_and_keys_are_told(secret: str, place: str, tmp_path: Path) -> None:
    given = {"note": f"as in {secret}"} if place == "note" else {"record": {"spec": {"data": {"groups": secret}}}}
    (told,) = problems(sent(tmp_path, **given))
    assert "looks like a path, an address or a key" in told


def test_a_recipe_is_wanted_and_names_commands(tmp_path: Path) -> None:
    recipe = sent(tmp_path) / "t.md"
    recipe.write_text("We ran it.")
    assert problems(tmp_path) == ["t.csv: t.md does not tell the commands that made it"]
    recipe.unlink()
    assert problems(tmp_path) == ["t.csv: t.md does not tell the commands that made it"]


def test_what_belongs_to_no_table_is_told(tmp_path: Path) -> None:
    (sent(tmp_path) / "t.csv").unlink()
    assert problems(tmp_path) == ["t.md: there is no t.csv", "t.specs.json: there is no t.csv"]
