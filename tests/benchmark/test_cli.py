"""The command line: one line for what a user can mend, an exit code, and no folder left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore

from support.composing import composed
from support.killing import Commands
from support.small import SMALL
from zoo.benchmark.config import mending, plugins
from zoo.benchmark.config.command_line import prepared
from zoo.benchmark.runs import experiment
from zoo.benchmark.runs.identity import digest
from zoo.benchmark.tables import rows
from zoo.encoders import Encoder
from zoo.errors import ZooError
from zoo.features import FeatureSpec
from zoo.metrics import Metric
from zoo.registry import Registry, encoders, metrics

SCRIPT = plugins.CONFIGS.parent / "benchmarks" / "run.py"


def script(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "ZOO_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(SCRIPT), *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("encoder=arcfase", "unknown encoder 'arcfase'; did you mean 'arcface'? Available: arcface,"),
        ("cond=xatn", "unknown conditioner 'xatn'; did you mean 'xattn'?"),
        ("metrics=[fidd]", "unknown metric 'fidd'; did you mean 'fid'?"),
        ("preset=quik", "unknown preset 'quik'; did you mean 'quick'?"),
        ("train.stepz=3", "unknown option 'train.stepz'; did you mean 'train.steps'?"),
        ("sampler2=ddim", "unknown option 'sampler2'; did you mean 'sampler'?"),
        ("train.lr=[1", "cannot read 'train.lr=[1'"),
        ("quick", "cannot read 'quick'"),
    ],
)
def test_what_hydra_refuses_is_one_clear_line(override: str, said: str) -> None:
    configs = initialize_config_dir(str(plugins.CONFIGS), version_base="1.3")
    with pytest.raises(ZooError) as told, prepared([]), configs:
        compose("config", [override])  # not by `composed`: in `support` there are plug-ins, which would get the blame
    assert said in str(told.value)
    assert len(str(told.value).splitlines()) == 1


def test_a_missing_value_names_the_option_that_gives_it() -> None:
    with pytest.raises(ZooError, match=r"data\.root must be given: data\.root=\.\.\."):
        experiment.run(composed("data=folder"))


def test_a_job_of_a_sweep_is_told_at_once_and_lets_the_others_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(mending.SweepError), mending.refusing(sweep=True):  # an Exception: Hydra starts the next job
        raise ZooError("no")
    assert capsys.readouterr().err == "error: no\n"


def test_a_job_that_is_no_sweeps_ends_hydra_without_a_word_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZooError, match="no"), prepared([]), mending.refusing(sweep=False):
        raise ZooError("no")
    assert capsys.readouterr().err == ""


def test_a_third_partys_name_becomes_an_option_with_its_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    class Mine(Encoder):
        def __init__(self, *, width: int = 16, sizes: tuple[int, ...] = (1, 2)) -> None:
            super().__init__(FeatureSpec(token_dim=width))

        def forward(self, L: object) -> object:  # type: ignore[override]
            return L

    monkeypatch.setitem(encoders._classes, "mine", Mine)
    plugins.store_nodes()
    try:
        assert composed("encoder=mine").encoder == {"name": "mine", "width": 16, "sizes": [1, 2]}
        assert "mine" in plugins.options("encoder")
    finally:
        ConfigStore.instance().repo["encoder"].pop("mine.yaml")


def test_a_third_partys_metric_cannot_be_called_as_the_option_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(metrics._classes, "primary", Metric)
    with pytest.raises(ZooError, match=r"a metric is called 'primary', but metrics\.primary= names one; rename it"):
        plugins.store_nodes()


def test_a_third_partys_name_that_a_file_has_for_something_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: Registry[Encoder] = Registry("encoder", "zoo.nowhere")
    monkeypatch.setitem(names._classes, "tuned", Encoder)
    monkeypatch.setattr(plugins, "GROUPS", {"encoder": names})
    monkeypatch.setattr(plugins, "CONFIGS", tmp_path)
    (tmp_path / "encoder").mkdir()
    (tmp_path / "encoder" / "tuned.yaml").write_text("name: arcface\n")
    with pytest.raises(ZooError, match="which configures 'arcface'; rename one of them"):
        plugins.store_nodes()


@pytest.mark.parametrize(
    ("argument", "names"), [("plugins=[a.b,c]", ["a.b", "c"]), ("plugins=a", ["a"]), ("device=cpu", [])]
)
def test_modules_that_the_command_line_asks_for_are_found_before_hydra_runs(argument: str, names: list[str]) -> None:
    assert plugins.asked_for([argument]) == names


def test_a_plug_in_module_that_is_not_there_is_named() -> None:
    with pytest.raises(ZooError, match="plugins: cannot import 'no_such_module'"):
        plugins.import_modules(["no_such_module"])


def test_help_lists_the_groups_and_loads_no_network_library(tmp_path: Path) -> None:
    code = f"import atexit, runpy, sys; sys.argv = ['run.py', '--help']; sys.path[0] = {str(SCRIPT.parent)!r}; "
    code += (
        f"atexit.register(lambda: print('torch' in sys.modules)); runpy.run_path({str(SCRIPT)!r}, run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert "encoder: arcface, dino, facenet, hog, none, origin, timm, unet, unet_ae" in done.stdout
    assert done.stdout.endswith("False\n")


def test_a_run_writes_its_folder_and_a_second_one_only_shows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = script(tmp_path, *SMALL, "table=table.csv")
    assert first.returncode == 0, first.stderr
    (folder,) = (tmp_path / "results" / "runs").iterdir()
    written = {path.name for path in folder.iterdir()}
    assert written >= {
        "spec.yaml",
        "environment.json",
        "manifest.json",
        "record.json",
        "rows.csv",
        "grid.png",
        "checkpoint.pt",
        "model.safetensors",
    }
    (scored,) = rows.read(tmp_path / "table.csv")
    leads_to = json.loads((tmp_path / "table.specs.json").read_text())[scored.run_id]
    assert leads_to["spec"]["train"]["steps"] == 2
    photos = json.loads((folder / "manifest.json").read_text())["train"]["manifest"]
    assert leads_to["spec"]["manifests"] == {"train": photos}
    assert digest(leads_to["protocols"]["psnr"]) == scored.protocol_id
    assert (leads_to["commit"], leads_to["device"], leads_to["weights"]) == (scored.git_sha, scored.device, "")
    assert (scored.metric, scored.n_images, scored.images_seen) == ("psnr", 3, 8)
    assert scored.run_id == folder.name
    assert str(Path("results", "runs", folder.name, "grid.png")) in first.stdout
    nothing_of_hydras = {"cache", "results", "table.csv", "table.specs.json", ".table.csv.lock"}
    assert {path.name for path in tmp_path.iterdir()} == nothing_of_hydras

    before = (folder / "checkpoint.pt").stat().st_mtime_ns
    monkeypatch.chdir(tmp_path)
    experiment.run(composed(*SMALL, "table=table.csv", "cache_dir=cache"))
    told = capsys.readouterr().out
    assert "done already" in told
    assert "comes too late" not in told
    assert (folder / "checkpoint.pt").stat().st_mtime_ns == before
    assert rows.read(tmp_path / "table.csv") == [scored]
    experiment.run(composed(*SMALL, "metrics.primary=psnr", "table=table.csv", "cache_dir=cache"))
    assert "metrics.primary=psnr comes too late: none was named when this run was scored" in capsys.readouterr().out
    assert json.loads((tmp_path / "table.specs.json").read_text())[scored.run_id] == leads_to


def test_every_method_leaves_rows_and_its_values_photo_by_photo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = {}
    for method in ("grey", "mean", "truth", "regression", "diffusion"):
        experiment.run(composed(*SMALL, f"method={method}", "table=table.csv", "cache_dir=cache", "seed=3"))
    for scored in rows.read(tmp_path / "table.csv"):
        found[scored.method] = scored
        folder = tmp_path / "results" / "runs" / scored.run_id
        values = pd.read_parquet(folder / "per_image.parquet")
        assert len(values) == scored.n_images == 3
        assert values["psnr"].mean() == pytest.approx(scored.value)
        kept = np.load(folder / "sample_grid.npz")
        assert kept["sample_grid"].shape == (2, 5, 16, 16, 3)
        assert set(kept["keys"]) <= set(values["image"])
    named = {method: (one.encoder, one.cond, one.seed, one.params > 0) for method, one in found.items()}
    assert named["grey"] == named["mean"] == named["truth"] == ("", "", 0, False)
    assert named["regression"] == named["diffusion"] == ("unet", "concat", 3, True)
    psnr = {method: one.value for method, one in found.items()}
    assert psnr["truth"] > psnr["mean"] > psnr["grey"]


def test_half_precision_without_a_gpu_is_refused_before_data_is_read(tmp_path: Path) -> None:
    config = composed(*SMALL, "train.mixed_precision=fp16", f"cache_dir={tmp_path}/cache")
    with pytest.raises(ZooError, match="needs a GPU"):
        experiment.run(config)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_sweep_trains_once_for_two_samplings(commands: Commands, tmp_path: Path) -> None:
    code, out, err = commands.finish(tmp_path, "run", "-m", *SMALL, "sampler.steps=1,2")
    assert code == 0, err
    assert len(list((tmp_path / "results" / "runs").glob("*/rows.csv"))) == 2
    assert "the same training as run" in out
