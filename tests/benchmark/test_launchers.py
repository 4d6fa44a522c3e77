"""Hydra's launchers, for real: whoever carries out the cells of a sweep, its table is that of one process."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from hydra.errors import MissingConfigException

from support.killing import Commands
from support.sweeping import TINY, finish, scores
from zoo.benchmark.config import mending

SWEEP = ["-m", *TINY, "metrics=[psnr]", "cond=none,[concat,film]"]
LAUNCHERS = {
    "joblib": ("hydra_plugins.hydra_joblib_launcher", ["hydra.launcher.n_jobs=2"]),
    "submitit_local": ("hydra_plugins.hydra_submitit_launcher", []),
    "ray": (
        "hydra_plugins.hydra_ray_launcher",
        [f"+hydra.launcher.ray.init.{o}" for o in ("num_cpus=2", "include_dashboard=false")]
        + ["+hydra.launcher.ray.init.object_store_memory=80000000"],
    ),
}


def installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


@pytest.fixture(scope="module")
def serial(commands: Commands, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The table of one process that carried out one cell after the other."""
    folder = tmp_path_factory.mktemp("serial")
    code, _, err = commands.finish(folder, "run", *SWEEP)
    assert code == 0, err
    return folder / "table.csv"


@pytest.mark.slow
@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_the_table_of_a_launcher_is_that_of_one_process(launcher: str, serial: Path, tmp_path: Path) -> None:
    module, options = LAUNCHERS[launcher]
    if not installed(module):
        pytest.skip(f"{module} is not installed")
    code, out, err = finish(tmp_path, *SWEEP, f"hydra/launcher={launcher}", *options)
    assert code == 0, err
    assert "2 of 2 cells done" in out
    assert len(scores(serial)) == 2
    assert scores(tmp_path / "table.csv") == scores(serial)


@pytest.mark.parametrize(("launcher", "extra"), [("joblib", "joblib"), ("submitit_slurm", "slurm"), ("ray", "ray")])
def test_a_launcher_that_is_not_installed_names_the_extra(launcher: str, extra: str) -> None:
    missing = MissingConfigException("", f"hydra/launcher/{launcher}", ["basic"])
    assert mending.one_line(missing) == f"hydra/launcher={launcher} is not installed; pip install -e .[{extra}]"


DEADLY = """
import os, signal, zoo

@zoo.register_metric("deadly")
class Deadly(zoo.Metric):
    def names(self): return {"deadly": None}
    def update(self, pred, truth): os.kill(os.getpid(), signal.SIGKILL)
    def compute(self): return []
"""


@pytest.mark.slow
@pytest.mark.skipif(not installed("hydra_plugins.hydra_joblib_launcher"), reason="needs the extra joblib")
def test_a_cell_that_kills_its_worker_again_and_again_stops_no_other(tmp_path: Path) -> None:
    (tmp_path / "deadly.py").write_text(DEADLY)
    given = ["plugins=[deadly.py]", "metrics=[deadly],[psnr]", "cond=none"]
    code, out, err = finish(tmp_path, "-m", *TINY, *given, "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    assert code == 2
    assert "1 of 2 cells done" in out
    assert "failed: metrics=[deadly]: its process died" in err
