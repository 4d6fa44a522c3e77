"""A third party's package, pip-installed into an environment of its own: its names work with no edit here."""

from __future__ import annotations

import os
import shutil
import site
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from support.small import SMALL
from zoo.benchmark.tables import rows
from zoo.registry import Registry

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "examples" / "plugin"

pytestmark = pytest.mark.slow


class Environment:
    """A fresh virtual environment that sees the packages of this one, and has the template installed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        venv.create(folder / "venv", with_pip=False, symlinks=True)
        self.python = folder / "venv" / "bin" / "python"
        (installed,) = (folder / "venv").glob("lib/python*/site-packages")
        here = [*site.getsitepackages(), str(ROOT)]
        (installed / "those_of_the_tests.pth").write_text(
            "".join(f"import site; site.addsitedir({path!r})\n" for path in here)
        )
        source = shutil.copytree(TEMPLATE, folder / "plugin")  # a build leaves files beside the source
        self.install(str(source))

    def install(self, *what: str) -> None:
        offline = ["--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check", "--quiet"]
        self.run("-m", "pip", "install", *offline, *what)

    def run(self, *arguments: str, expect: int = 0) -> str:
        """What ``python ARGUMENTS`` says on stdout, or on stderr where it is expected to fail."""
        environment = {
            **os.environ,
            "ZOO_CACHE": str(self.folder / "cache"),
            "OMP_NUM_THREADS": "1",
            "ZOO_OFFLINE": "1",
        }
        done = subprocess.run(
            [str(self.python), *arguments], cwd=self.folder, env=environment, capture_output=True, text=True
        )
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stderr if expect else done.stdout


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment(tmp_path_factory.mktemp("environment"))


def test_the_names_are_listed_with_the_package_that_they_come_from(environment: Environment) -> None:
    encoder = environment.run("-m", "zoo", "list", "edges", "--format", "csv").splitlines()[1]
    assert encoder.startswith("encoder,edges,zoo-edges 0.1.0,20.1k,image,32/4 64/8,64,")
    assert "shift" in environment.run("-m", "zoo", "list", "sh*")


def test_the_kit_finds_all_promises_kept(environment: Environment) -> None:
    assert "edges width=48 (zoo-edges 0.1.0)" in environment.run("-m", "zoo", "check", "edges", "width=48")


def test_the_packages_own_tests_pass(environment: Environment) -> None:
    told = environment.run("-m", "pytest", "-q", "-p", "no:cacheprovider", str(environment.folder / "plugin" / "tests"))
    assert "3 passed" in told


def test_the_benchmark_trains_it_in_a_glob_sweep_and_it_shows_in_the_table(environment: Environment) -> None:
    run = str(ROOT / "benchmarks" / "run.py")
    environment.run(run, "-m", *SMALL, "encoder=glob(ed*)", "cond=xattn,shift", "encoder.width=64", "table=table.csv")
    scored = rows.read(environment.folder / "table.csv")
    assert sorted((row.encoder, row.cond) for row in scored) == [
        ("edges(width=64)", "shift"),
        ("edges(width=64)", "xattn"),
    ]
    table = environment.run(str(ROOT / "benchmarks" / "compare.py"), "table.csv")
    assert "edges(width=64)" in table


def test_a_package_that_was_just_written_is_installed_and_trained_by_its_name(environment: Environment) -> None:
    environment.run("-m", "zoo", "new", "encoder", "my_own")
    environment.install("-e", "zoo-my-own")
    environment.run("-m", "zoo", "run", *SMALL, "encoder=my_own", "cond=concat", "table=own.csv")
    scored = rows.read(environment.folder / "own.csv")
    assert [(row.encoder, row.cond) for row in scored] == [("my_own", "concat")]


def test_a_wrong_name_is_told_the_right_one(environment: Environment) -> None:
    told = environment.run(str(ROOT / "benchmarks" / "run.py"), "encoder=edgse", expect=2)
    assert "unknown encoder 'edgse'; did you mean 'edges'?" in told


def test_the_environment_of_the_tests_does_not_know_it(environment: Environment) -> None:
    assert "edges" not in Registry("encoder", "zoo.encoders").list()
    assert environment.python.parent != Path(sys.executable).parent
