"""The wheel holds all that runs, and runs without the checkout."""

from __future__ import annotations

import os
import site
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
SKIPPED = {"__pycache__", ".mypy_cache", ".ruff_cache"}

pytestmark = pytest.mark.slow


def files(folder: str) -> set[str]:
    """Of the checkout, below ``folder``, by paths relative to it."""
    paths = (path for path in (ROOT / folder).rglob("*") if path.is_file() and not SKIPPED & set(path.parts))
    return {path.relative_to(ROOT / folder).as_posix() for path in paths}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``bin/`` of a fresh environment that has the wheel, and the dependencies of this one."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    lines = (f"import site; site.addsitedir({path!r})\n" for path in site.getsitepackages())
    (packages / "dependencies.pth").write_text("".join(lines))
    offline = ["--no-index", "--no-deps", "--ignore-installed", "--disable-pip-version-check", "--quiet"]
    python = folder / "bin" / "python"
    subprocess.run([str(python), "-m", "pip", "install", *offline, str(wheel)], check=True, capture_output=True)
    return python.parent


def facezoo(installed: Path, folder: Path, *arguments: str) -> str:
    """What the command says on stdout, run in ``folder``, where nothing of the checkout lies."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "ZOO_OFFLINE": "1", "ZOO_CACHE": str(folder / "cache")}
    environment.pop("PYTHONPATH", None)
    command = [str(installed / "facezoo"), *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_holds_the_package_and_its_configurations_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == {f"zoo/{name}" for name in files("zoo")} | {f"zoo/benchmark/configs/{n}" for n in files("configs")}
    assert "zoo/py.typed" in held


def test_a_photo_is_colored_far_from_the_checkout(installed: Path, tmp_path: Path) -> None:
    Image.fromarray(np.tile(np.arange(64, dtype=np.uint8), (64, 1))).save(tmp_path / "old.png")
    facezoo(installed, tmp_path, "colorize", "--image-path", "old.png", "--output", "new.png")
    assert np.asarray(Image.open(tmp_path / "new.png")).shape == (64, 64, 3)


def test_the_list_is_that_of_the_checkout(installed: Path, tmp_path: Path) -> None:
    assert "arcface" in facezoo(installed, tmp_path, "list", "arc*")


def test_a_sweep_runs_with_an_encoder_of_a_package_in_the_current_folder(installed: Path, tmp_path: Path) -> None:
    package = tmp_path / "mine"
    package.mkdir()
    source = (ROOT / "examples/plugin/src/zoo_edges/encoder.py").read_text()
    (package / "edges.py").write_text(source.replace("class Edges", '@zoo.register_encoder("edges")\nclass Edges'))
    small = ["data.n_train=8", "data.n_val=2", "data.n_test=2", "image_size=32", "train.steps=1", "train.batch_size=2"]
    told = facezoo(
        installed, tmp_path, "run", "-m", "plugins=[mine.edges]", "encoder=edges,none", "cond=concat",
        *small, "eval.samples=1", "metrics=[psnr]", "table=table.csv",
    )  # fmt: skip
    assert "2 of 2 cells done" in told
    assert "edges" in facezoo(installed, tmp_path, "compare", "table.csv")
    assert "2 done" in facezoo(installed, tmp_path, "status")
