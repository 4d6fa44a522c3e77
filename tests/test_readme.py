"""What the first page says is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from zoo import commands
from zoo.registry import encoders

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FIRST = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/demo/README.md")]
PAGES = [*FIRST, *sorted((ROOT / "docs").glob("*.md"))]


def test_the_first_page_is_short() -> None:
    assert len(README.encode()) <= 8192


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_is_one(page: Path) -> None:
    named = set(re.findall(r"(?:^    |`)facezoo ([a-z]+)", page.read_text(encoding="utf-8"), re.MULTILINE))
    assert named <= set(commands.names())


def test_the_encoder_of_the_first_page_keeps_the_contract(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (source,) = (block for block in blocks if "register_encoder" in block)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(encoders, "_classes", dict(encoders._classes))  # the name is gone afterwards
    Path("edges.py").write_text(source)
    assert commands.main(["check", "edges", "--plugin", "edges.py"]) == 0, capsys.readouterr().out


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_place_in_the_package_that_is_named_is_there(page: Path) -> None:
    named = set(re.findall(r"\bzoo/[\w/]+(?:\.\w+)?", page.read_text(encoding="utf-8")))
    assert {name for name in named if not (ROOT / name).exists()} - {"zoo/benchmark/configs"} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_test_that_is_named_is_one(page: Path) -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", page.read_text(encoding="utf-8"))
    missing = [f"{file}::{test}" for file, test in named if not _is_test(ROOT / file, test)]
    assert missing == []


def _is_test(file: Path, name: str) -> bool:
    return file.is_file() and (not name or f"\ndef {name}(" in file.read_text(encoding="utf-8"))
