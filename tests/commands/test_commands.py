"""The command line: one way in for all, how it ends, and what it does not load."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import zoo
from zoo import commands
from zoo.benchmark.config.plugins import CONFIGS
from zoo.errors import ZooError

DOORS = sorted((CONFIGS.parent / "benchmarks").glob("*.py"))
ALL = [
    "app",
    "check",
    "colorize",
    "compare",
    "export",
    "list",
    "merge",
    "photos",
    "pretrain",
    "report",
    "run",
    "score",
    "speed",
    "status",
]
HEAVY = ("hydra", "omegaconf", "pandas", "gradio", "torch")


def loaded_by(code: str, *modules: str) -> set[str]:
    """Which of ``modules`` a process has in memory when ``code`` has ended."""
    code = f"import sys\ntry:\n {code}\nexcept SystemExit: pass\nprint([m for m in {modules!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(ast.literal_eval(done.stdout.splitlines()[-1]))


def ends(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> int:
    """The exit code where a command ends with ``error``."""

    def broken(_: object) -> int:
        raise error

    monkeypatch.setattr("zoo.commands.status.run", broken)
    return commands.main([], command="status")


@pytest.fixture
def help_of_all(capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit, match="0"):
        commands.main(["--help"])
    return capsys.readouterr().out


@pytest.mark.parametrize("name", ALL)
def test_help_lists_every_command(name: str, help_of_all: str) -> None:
    assert f"\n    {name} " in help_of_all


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        commands.main(["--version"])
    assert capsys.readouterr().out == f"facezoo {zoo.__version__}\n"


@pytest.mark.parametrize("given", [[], ["no_such_command"]])
def test_without_a_command_that_there_is_the_exit_code_is_2(given: list[str]) -> None:
    assert commands.main(given) == 2


@pytest.mark.parametrize("name", ["hydra", "omegaconf", "pandas", "gradio", "torch"])
def test_help_loads_nothing_heavy(name: str) -> None:
    assert loaded_by("import zoo.commands; zoo.commands.main(['--help'])", name) == set()


def test_coloring_needs_neither_hydra_nor_pandas_nor_a_web_server(tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (40, 40), (90, 70, 60)).save(tmp_path / "a.png")
    given = ["colorize", "--image-path", str(tmp_path / "a.png"), "--output", str(tmp_path / "b.png"), "--steps", "1"]
    assert loaded_by(f"import zoo.commands; zoo.commands.main({given})", *HEAVY[:-1]) == set()
    assert (tmp_path / "b.png").is_file()


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (ZooError("no such face"), 2, "error: no such face"),
        (PermissionError(13, "Permission denied", "t.csv"), 2, "error: Permission denied: t.csv"),
        (ModuleNotFoundError("no", name="somelib"), 2, "error: somelib is not installed here;"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (BrokenPipeError(), 0, ""),
    ],
)
def test_what_a_user_can_mend_is_one_line_and_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], error: BaseException, code: int, said: str
) -> None:
    monkeypatch.setattr("os.dup2", lambda *_: None)
    assert ends(monkeypatch, error) == code
    told = capfd.readouterr().err.strip()
    assert told.startswith(said)
    assert len(told.splitlines()) <= 1


def test_an_error_of_our_own_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuntimeError, match="a bug"):
        ends(monkeypatch, RuntimeError("a bug"))


def test_a_traceback_is_kept_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    monkeypatch.delenv("ZOO_FULL_ERROR", raising=False)
    with pytest.raises(ZooError):
        ends(monkeypatch, ZooError("no such face"))


@pytest.mark.parametrize("name", ["run", "pretrain"])
def test_ctrl_c_says_that_the_run_goes_on_later(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"zoo.commands.{name}.run", interrupted)
    assert commands.main([name]) == 130
    assert "goes on from the last checkpoint" in capsys.readouterr().err


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.stem)
def test_a_door_is_short_and_opens_the_command_of_its_name(door: Path) -> None:
    text = door.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 30
    assert f'command="{door.stem}"' in text
    assert door.stem in ALL


def test_every_door_prints_its_own_help() -> None:
    done = subprocess.run([sys.executable, str(DOORS[0].parent / "merge.py"), "--help"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage: python benchmarks/merge.py")


PLUG_IN = """
import zoo

@zoo.register_metric("NAME")
class Mine(zoo.Metric):
    def names(self): return {"NAME": None}
    def update(self, pred, truth): pass
    def compute(self): return []
"""


def test_no_door_hides_a_users_module_of_its_name(tmp_path: Path) -> None:
    modules = {"plugins.edges": "mine0", "report": "mine1", "run": "mine2", "speed.it": "mine3"}
    for module, name in modules.items():
        file = (tmp_path / module.replace(".", "/")).with_suffix(".py")
        file.parent.mkdir(exist_ok=True)
        file.write_text(PLUG_IN.replace("NAME", name))
    given = [f"plugins=[{','.join(modules)}]", f"metrics=[{','.join(modules.values())}]", "--cfg", "job"]
    command = [sys.executable, str(DOORS[0].parent / "run.py"), *given]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name in modules.values():
        assert f"name: {name}" in done.stdout


@pytest.mark.parametrize(
    ("option", "said"), [("--help", "Groups and their options"), ("--cfg=job", "method: diffusion")]
)
def test_hydras_own_options_reach_it(tmp_path: Path, option: str, said: str) -> None:
    command = [sys.executable, "-m", "zoo", "run", "encoder=unet", "cond=xattn", "preset=quick", *option.split("=")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert said in done.stdout
