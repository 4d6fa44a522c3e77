"""Plug-ins that are not installed: a file or a module that is named, and the commands that take one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from zoo.benchmark.config import plugins
from zoo.commands import main
from zoo.errors import ZooError
from zoo.plugins import import_plugins
from zoo.registry import encoders

SOURCE = '''
import zoo
from beside_it import CHANNELS
from torch import nn

@zoo.register_encoder("{name}")
class Mine(zoo.Encoder):
    """One convolution."""

    def __init__(self, *, width: int = CHANNELS) -> None:
        super().__init__(zoo.FeatureSpec((zoo.FeatureLevel(width, 2),)))
        self.conv = nn.Conv2d(1, width, 3, stride={stride}, padding=1)

    def forward(self, L):
        return zoo.Features((self.conv(L),), None)
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, with the encoders ``in_file`` (sound) and ``in_broken_file`` below ``own/``."""
    own = tmp_path / "own"
    own.mkdir()
    (own / "beside_it.py").write_text("CHANNELS = 6\n")
    (own / "mine.py").write_text(SOURCE.format(name="in_file", stride=2))
    (own / "wrong.py").write_text(SOURCE.format(name="in_broken_file", stride=4))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("zoo_plugin_") or name in ("mine", "beside_it"):
            del sys.modules[name]
    for name in ("in_file", "in_broken_file"):
        encoders._classes.pop(name, None)


def test_a_file_is_found_from_the_current_folder_and_may_import_what_lies_beside_it(folder: Path) -> None:
    import_plugins(["own/mine.py"])
    assert encoders.create("in_file").spec.levels[0].channels == 6
    assert encoders.origin("in_file") == str(folder / "own" / "mine.py")


def test_the_same_file_again_by_whatever_path_or_as_a_module_is_no_clash(folder: Path) -> None:
    import_plugins(["own/mine.py", "./own/../own/mine.py", str(folder / "own" / "mine.py"), "mine"])
    assert encoders.list("in_file") == ["in_file"]


def test_another_file_with_the_same_name_for_an_encoder_is_a_clash(folder: Path) -> None:
    (folder / "mine.py").write_text((folder / "own" / "mine.py").read_text())
    with pytest.raises(ZooError, match=r"encoder 'in_file' of .* is already taken by .*; choose another name"):
        import_plugins(["own/mine.py", "mine.py"])


def test_a_file_may_have_the_name_of_a_module_that_is_installed(folder: Path) -> None:
    (folder / "json.py").write_text("VALUE = 1\n")
    import_plugins(["json.py"])
    assert not hasattr(sys.modules["json"], "VALUE")


def test_a_missing_file_is_one_clear_line(folder: Path) -> None:
    with pytest.raises(ZooError, match=r"plugins: there is no file 'mine\.py' \(looked for .*mine\.py\)"):
        import_plugins(["mine.py"])


def test_a_file_that_fails_is_named_with_its_reason_and_may_be_mended(folder: Path) -> None:
    file = folder / "own" / "late.py"
    file.write_text("1 / 0\n")
    with pytest.raises(ZooError, match=r"cannot import 'own/late\.py' \(ZeroDivisionError"):
        import_plugins(["own/late.py"])
    file.write_text(SOURCE.format(name="in_file", stride=2))
    import_plugins(["own/late.py"])
    assert "in_file" in encoders.list()


@pytest.mark.parametrize(
    ("argument", "names"),
    [
        ("plugins=[own/mine.py,a.b]", ["own/mine.py", "a.b"]),
        ("plugins=['with space/mine.py']", ["with space/mine.py"]),
        ("plugins=mine.py", ["mine.py"]),
        ("encoder=mine", []),
    ],
)
def test_files_that_the_command_line_asks_for_are_found_before_hydra_runs(argument: str, names: list[str]) -> None:
    assert plugins.asked_for([argument]) == names


# the commands


def test_list_shows_where_an_encoder_of_a_file_comes_from_and_what_it_declares(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list", "in_*", "--plugin", "own/mine.py"]) == 0
    title, _, row = capsys.readouterr().out.splitlines()
    assert title.split()[:4] == ["encoder", "from", "params", "input"]
    assert row.split()[:5] == ["in_file", "own/mine.py", "60", "image", "6/2"]


def test_list_gives_every_column_of_every_kind_as_csv(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "none", "--format", "csv"]) == 0
    title, encoder, conditioner, *_ = capsys.readouterr().out.splitlines()
    assert title == "kind,name,from,parameters,input,levels,tokens,license,weights,trains,seeds,needs,what"
    assert encoder.startswith("encoder,none,built-in,–,image,–,1,–,–,,")
    assert conditioner.startswith("conditioner,none,built-in,–,")


def test_list_goes_on_past_a_plug_in_that_is_broken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Faulty:
        def __init__(self) -> None:
            raise RuntimeError("a bug")

    monkeypatch.setitem(encoders._classes, "hogg", Faulty)  # type: ignore[arg-type]
    assert main(["list", "hog*", "--kind", "encoder", "--format", "csv"]) == 0
    _, hog, hogg = capsys.readouterr().out.splitlines()
    assert hog.startswith("encoder,hog,")
    assert "broken: RuntimeError('a bug')" in hogg


def test_check_ends_with_0_and_counts_where_all_promises_are_kept(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "in_file", "width=3", "--plugin", "own/mine.py"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == f"encoder in_file width=3 ({folder / 'own' / 'mine.py'})"
    assert "ok      declares features that can be" in told[1]
    assert "channels@stride 3@2" in told[1]
    assert " kept, 0 broken" in told[-1]


def test_check_ends_with_1_and_says_how_a_promise_is_broken(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "in_broken_file", "--plugin", "own/wrong.py"]) == 1
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "gives the features" in line]
    assert "BROKEN" in line
    assert "declared map 0 as (2, 6, 16, 16), gave (2, 6, 8, 8)" in line


def test_check_looks_at_every_kind_that_has_the_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "none"]) == 0
    told = capsys.readouterr().out
    assert "encoder none (built-in)" in told
    assert "conditioner none (built-in)" in told


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check", "unett"], "unknown encoder 'unett'; did you mean 'unet'?"),
        (["check", "qqqqqqqq"], "unknown name 'qqqqqqqq'. Available: encoders: arcface, "),
        (["check", "none", "--kind", "metric"], "unknown metric 'none'"),
        (["check", "hog", "orientations"], "cannot read 'orientations'; options are given as key=value"),
        (["check", "hog", "strides=[4"], "cannot read 'strides=[4'"),
        (["check", "hog", "orientations=0"], "strides and orientations must be positive"),
        (["check", "folder"], "dataset 'folder' needs root=..."),
        (["check", "hog", "--device", "cuda:99"], "--device cuda:99 is not available here"),
        (["list", "--plugin", "no_such.py"], "plugins: there is no file 'no_such.py'"),
    ],
)
def test_what_a_user_can_mend_is_one_line_and_exit_code_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(f"error: {said}") or f" {said}" in told.err
    assert len(told.err.splitlines()) == 1


def test_ctrl_c_ends_with_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(args: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("zoo.commands.list.run", interrupted)
    assert main(["list"]) == 130
    assert capsys.readouterr().err == "interrupted\n"
