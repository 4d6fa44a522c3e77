"""What a run notes of its looks at validation photos."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hydra import compose, initialize_config_dir
from PIL import Image

from support.small import SMALL
from zoo.benchmark.config.plugins import CONFIGS
from zoo.benchmark.runs import validating
from zoo.benchmark.runs.experiment import run
from zoo.training.watch import Validated


@pytest.mark.parametrize("every", [2, None])
def test_a_run_leaves_its_validation_losses_and_a_picture(tmp_path: Path, every: int | None) -> None:
    given = [*SMALL, "train.steps=5", f"train.val_every={'null' if every is None else every}"]
    places = [f"results_dir={tmp_path}/runs", f"cache_dir={tmp_path}/cache", "encoder=none", "cond=none"]
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = compose("config", [*given, *places])
    run(config)
    (folder,) = (tmp_path / "runs").iterdir()
    if every is None:
        assert not (folder / "val.csv").exists()
        return
    head, *lines = (folder / "val.csv").read_text().splitlines()
    assert head == "step,loss,psnr,colorfulness,colorfulness_abs_diff"
    assert [int(line.split(",")[0]) for line in lines] == [2, 4, 5]
    assert all(0 < float(line.split(",")[1]) < 10 for line in lines)
    assert all(5 < float(line.split(",")[2]) < 50 for line in lines)
    assert Image.open(folder / "val.png").width > 3 * 16


SCORES = {"psnr": 20.0, "colorfulness": 10.0, "colorfulness_abs_diff": 5.0}


def test_a_resumed_run_notes_each_step_once(tmp_path: Path) -> None:
    for step, loss in [(2, 0.5), (4, 0.4), (4, 0.4), (6, 0.3), (2, 0.5)]:
        validating._note(tmp_path / "val.csv", step, Validated(loss, SCORES))
    noted = ["step,loss,psnr,colorfulness,colorfulness_abs_diff", "2,0.500000,20.000000,10.000000,5.000000"]
    assert (tmp_path / "val.csv").read_text().splitlines() == noted


def test_lines_from_before_there_were_scores_have_holes(tmp_path: Path) -> None:
    (tmp_path / "val.csv").write_text("step,loss\n2,0.500000\n")
    validating._note(tmp_path / "val.csv", 4, Validated(0.4, SCORES))
    found = pd.read_csv(tmp_path / "val.csv")
    assert found["loss"].tolist() == [0.5, 0.4]
    assert found["psnr"].isna().tolist() == [True, False]
