"""What a run notes of its looks at validation photos."""

from __future__ import annotations

from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from PIL import Image

from support.small import SMALL
from zoo.benchmark.config.plugins import CONFIGS
from zoo.benchmark.runs.experiment import run


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
    assert head == "step,loss"
    assert [int(line.split(",")[0]) for line in lines] == [2, 4, 5]
    assert all(0 < float(line.split(",")[1]) < 10 for line in lines)
    assert Image.open(folder / "val.png").width > 3 * 16


def test_a_resumed_run_notes_each_step_once(tmp_path: Path) -> None:
    from zoo.benchmark.runs.validating import _note

    for step, loss in [(2, 0.5), (4, 0.4), (4, 0.4), (6, 0.3), (2, 0.5)]:
        _note(tmp_path / "val.csv", step, loss)
    assert (tmp_path / "val.csv").read_text() == "step,loss\n2,0.500000\n"
