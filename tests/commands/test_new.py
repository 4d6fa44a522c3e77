"""facezoo new: the packages that it writes keep the contract of their kind, and nothing is overwritten."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from zoo.commands import main, new
from zoo.registry import REGISTRIES


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder; what a test registers is forgotten after it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = {*sys.modules}
    yield tmp_path
    for name in {*sys.modules} - before:
        if name.startswith("zoo_"):
            del sys.modules[name]
    for registry in REGISTRIES.values():
        registry._classes.pop("my_own", None)


@pytest.mark.parametrize("kind", new._CHOICES)
def test_a_package_passes_its_own_test_as_it_is(kind: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", kind, "my_own"]) == 0
    assert "facezoo check my_own" in capsys.readouterr().out
    package = folder / "zoo-my-own"
    sys.path.insert(0, str(package / "src"))  # as its pyproject.toml has pytest do
    spec = importlib.util.spec_from_file_location("zoo_own_test", package / "tests" / "test_my_own.py")
    assert spec is not None
    assert spec.loader is not None
    tests = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tests)
    test = tests.test_it_keeps_the_contract
    (folder / "photos").mkdir()
    test(*[folder / "photos"] * len(inspect.signature(test).parameters))
    assert REGISTRIES[kind].origin("my_own") == str(package / "src" / "zoo_my_own.py")


def test_every_kind_has_a_template() -> None:
    assert {*new._CHOICES} == {*REGISTRIES}


def test_the_command_that_it_names_finds_the_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "encoder", "my_own", "--to", "deep/er/own"]) == 0
    told = capsys.readouterr().out
    assert "facezoo check my_own --plugin deep/er/own/src/zoo_my_own.py" in told
    assert main(["check", "my_own", "--plugin", "deep/er/own/src/zoo_my_own.py"]) == 0
    assert sorted(path.name for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc") == [
        "README.md",
        "pyproject.toml",
        "test_my_own.py",
        "zoo_my_own.py",
    ]


def test_no_word_of_a_template_is_left(folder: Path) -> None:
    for kind in new._CHOICES:
        for path, text in new.package(kind, "my_own").items():
            left = [
                w for w in ("NAME", "OBJECT", "MODULE", "KIND", "GROUP", "CHOICE", "CHECK", "DISTRIBUTION") if w in text
            ]
            assert not left, (kind, path)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["encoder", "Edges"], "'Edges' cannot be a name; expected small letters, digits and _, as in my_encoder"),
        (["metric", "../warmth"], "'../warmth' cannot be a name"),
        (["metric", "class"], "'class' cannot be a name"),
        (["metric", "1st"], "'1st' cannot be a name"),
        (["metric", ""], "'' cannot be a name"),
        (["encoder", "unet"], "the encoder 'unet' is there already (built-in); choose another name"),
        (["encodr", "edges"], "unknown kind 'encodr'; did you mean 'encoder'? Available: "),
        (["encoder"], "give name; facezoo new --help shows all"),
        (["encoder", "edges", "--to", "taken"], "taken is there already; nothing was written."),
        (["encoder", "edges", "--to", "dangling"], "dangling is there already"),
        (["encoder", "edges", "--to", "taken/file/edges"], "File exists: taken/file"),
    ],
)
def test_what_cannot_be_is_one_line_and_nothing_is_written(
    given: list[str], said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("taken").mkdir()
    Path("taken/file").write_text("mine")
    Path("dangling").symlink_to("nowhere")
    assert main(["new", *given]) == 2
    out, told = capsys.readouterr()
    assert out == ""
    assert told.startswith(f"error: {said}")
    assert told.count("\n") == 1
    assert sorted(path.name for path in folder.iterdir()) == ["dangling", "taken"]
    assert Path("taken/file").read_text() == "mine"


def test_where_writing_fails_nothing_is_left(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object, **options: object) -> int:
        raise OSError(28, "No space left on device", "somewhere")

    monkeypatch.setattr(Path, "write_text", full)
    assert main(["new", "encoder", "edges"]) == 2
    assert list(folder.iterdir()) == []
