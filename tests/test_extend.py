"""What docs/extend.md shows is what `facezoo new` writes, and does what the page says, command by command."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hydra.core.config_store import ConfigStore

from support.pictures import picture
from support.small import SMALL
from zoo.commands import main, new
from zoo.registry import REGISTRIES

PAGE = (Path(__file__).parents[1] / "docs" / "extend.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^#+ (.*?)\n(.*?)(?=^#+ |\Z)", PAGE, re.MULTILINE | re.DOTALL))
REGISTERS = re.compile(r'^@zoo\.register_(\w+)\("(\w+)"\)$', re.MULTILINE)
COMMAND = re.compile(r"^    facezoo ((?:new|check|run) .*?)(?:  #.*)?$", re.MULTILINE)
PEOPLE = ("ann", "bob", "cid", "dan", "eve", "fay", "gus", "hal", "ida", "jon", "kit", "lea")


def blocks(section: str) -> Iterator[tuple[str, str, str]]:
    """Kind, name and source of each plug-in that a section shows."""
    for source in re.findall(r"```python\n(.*?)```", SECTIONS[section], re.DOTALL):
        if found := REGISTERS.search(source):
            yield found[1], found[2], source


SHOWN = {kind: (name, source) for section in SECTIONS for kind, name, source in blocks(section)}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, with photos/; what is registered here is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    for i, person in enumerate(PEOPLE):
        (tmp_path / "photos" / person).mkdir(parents=True)
        picture(i, 32).save(tmp_path / "photos" / person / "1.png")
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("zoo_plugin_")]:
        del sys.modules[name]
    for kind, (name, _) in SHOWN.items():
        REGISTRIES[kind]._classes.pop(name, None)
    for nodes in ConfigStore.instance().repo.values():
        for name, _ in SHOWN.values():
            nodes.pop(f"{name}.yaml", None) if isinstance(nodes, dict) else None


def test_every_kind_that_the_command_writes_is_shown() -> None:
    assert {*SHOWN} == {*new._CHOICES}


@pytest.mark.parametrize("kind", SHOWN)
def test_an_example_is_what_the_command_writes(kind: str) -> None:
    name, source = SHOWN[kind]
    assert new.package(kind, name)[f"src/zoo_{name}.py"] == source


@pytest.mark.parametrize("section", [title for title, text in SECTIONS.items() if COMMAND.search(text)])
def test_the_commands_of_a_section_do_what_they_say(
    section: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _, name, source in blocks(section):
        Path(f"{name}.py").write_text(source)
    for line in COMMAND.findall(SECTIONS[section]):
        command, *arguments = shlex.split(line)
        if command == "run":
            said = {argument.partition("=")[0] for argument in arguments}
            said |= {"data.limit"} if "data" in said else set()  # it may leave nothing of a part
            said |= {"denoiser.mults"} if "denoiser" in said else set()  # of another one
            arguments += [option for option in SMALL if option.partition("=")[0] not in said]
        assert main([command, *arguments]) == 0, f"{line}\n{capsys.readouterr()}"
    runs = len(re.findall(r"^    facezoo run", SECTIONS[section], re.MULTILINE))
    assert len(list(folder.glob("results/runs/*/rows.csv"))) == runs


def test_the_entry_point_that_it_shows_is_that_of_the_package() -> None:
    (shown,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    name = SHOWN["encoder"][0]
    assert shown in new.package("encoder", name)["pyproject.toml"]


def test_the_test_that_it_shows_passes(folder: Path) -> None:
    (source,) = (block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "assert_conforms" in block)
    _, encoder = SHOWN["encoder"]
    scope: dict[str, object] = {}
    exec(encoder + source, scope)
    scope["test_it_keeps_the_contract"]()  # type: ignore[operator]
