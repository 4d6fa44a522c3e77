"""Runs that go on from others, or say why they start anew; and what rows say of steps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from support.composing import composed
from support.pictures import picture
from support.small import SMALL
from zoo.benchmark.report import curves
from zoo.benchmark.runs import experiment
from zoo.benchmark.tables import rows
from zoo.benchmark.tables.rows import Row
from zoo.errors import ZooError

PAIR = ["encoder=none", "cond=none", "data.n_train=6", "data.n_val=3", "data.n_test=3", "data.size=32"]
CONSTANT = ["train.schedule=constant", "train.warmup_steps=2"]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*given: str, results: str = "runs") -> Row:
    """Its only row."""
    before = {path.parent for path in Path(results).glob("*/rows.csv")}
    experiment.run(composed(*SMALL, *PAIR, *given, "cache_dir=cache", f"results_dir={results}"))
    (folder,) = {path.parent for path in Path(results).glob("*/rows.csv")} - before
    (row,) = rows.read(folder / "rows.csv")
    return row


def test_a_larger_budget_at_a_constant_rate_goes_on_from_the_smaller_and_scores_as_one_that_did_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = [*CONSTANT, "train.val_every=2", "train.log=[tensorboard]"]
    short = run(*given, "train.steps=3")
    capsys.readouterr()
    long = run(*given, "train.steps=5")
    assert f"the same training as run {short.run_id}: going on from its last checkpoint" in capsys.readouterr().out
    alone = run(*given, "train.steps=5", results="others")
    costs: dict[str, Any] = {"train_seconds": 0.0, "sample_seconds_per_image": 0.0, "peak_memory_mb": 0.0}
    assert replace(long, **costs) == replace(alone, **costs)
    assert (short.steps_run, long.steps_run, long.kept_step, long.images_seen) == (3, 5, 5, 20)
    assert short.value != long.value
    looked = [pd.read_csv(Path(where) / long.run_id / "val.csv") for where in ("runs", "others")]
    assert looked[0]["step"].tolist() == [2, 3, 4, 5]
    assert looked[1]["step"].tolist() == [2, 4, 5]  # it had no reason to look at 3
    pd.testing.assert_frame_equal(looked[0][looked[0]["step"] != 3].reset_index(drop=True), looked[1])

    table = rows.frame([short, long]).assign(row="none", col="none", cond=["a", "b"])
    drawn, _ = curves.gather(table, {one.run_id: Path("runs") / one.run_id for one in (short, long)}, Path("runs"))
    assert sorted([step for step, _ in curve.points] for curve in drawn) == [[1, 2, 3], [1, 2, 3, 4, 5]]

    run(*given, "train.steps=4")  # within the checkpoint of 5, but not that of 3
    assert "going on from its last checkpoint" in capsys.readouterr().out


def test_a_larger_budget_over_which_the_rate_falls_says_why_it_starts_anew(capsys: pytest.CaptureFixture[str]) -> None:
    short = run("train.steps=2")
    assert "anew" not in capsys.readouterr().out
    run("train.steps=3")
    (said,) = [line for line in capsys.readouterr().out.splitlines() if "anew" in line]
    assert said == (
        f"run {short.run_id} is the same with a smaller budget, over which its learning rate fell to 0, so this one "
        "starts anew (with train.schedule=constant it would go on)"
    )
    run("train.steps=1")
    run("train.steps=4", "train.lr=0.5")
    assert "anew" not in capsys.readouterr().out


def test_rows_say_which_step_was_kept_and_how_many_there_were(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["train.steps=30", "train.lr=2", "train.val_every=1", "train.keep=best", "train.patience=2"]
    row = run(*given)
    looked = pd.read_csv(Path("runs") / row.run_id / "val.csv")
    assert row.kept_step == looked["step"][looked["loss"].idxmin()]
    assert row.steps_run == looked["step"].max() == row.kept_step + 2 < 30
    assert f"kept: the averaged weights of step {row.kept_step} of {row.steps_run}" in capsys.readouterr().out


def test_without_photos_of_val_nothing_is_trained(tmp_path: Path) -> None:
    for i in range(4):
        (tmp_path / "photos").mkdir(exist_ok=True)
        picture(i, 64).save(tmp_path / "photos" / f"{i}.png")
    given = [f"data.root={tmp_path}/photos", "data.val_fraction=0", "data.test_fraction=0.5", "data.face_box=null"]
    config = composed(*SMALL, "data=folder", *given, "train.val_every=1", "train.keep=best", f"cache_dir={tmp_path}")
    with pytest.raises(ZooError, match=r"train\.keep=best goes by photos of val: no val image below .*") as told:
        experiment.run(config)
    assert "\n" not in str(told.value)
    assert not (tmp_path / "results").exists()


def test_photos_that_decide_and_are_scored_are_warned_of(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["cache_dir=cache", "eval.split=val", "train.val_every=1", "train.patience=1"]
    experiment.Run.open(composed(*SMALL, *PAIR, *given))
    assert "warning: train.patience=1 goes by photos of val, and eval.split=val scores them" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["train.init=nowhere"], r"^train\.init=nowhere: .*does not exist"),
        (
            ["train.init=bundled"],
            r"^train\.init=bundled has encoder=unet cond=concat, but encoder=none cond=none is asked for: only",
        ),
    ],
)
def test_a_model_that_cannot_be_started_from_is_one_line_before_photos_are_read(given: list[str], said: str) -> None:
    with pytest.raises(ZooError, match=said) as told:
        experiment.Run.open(composed(*SMALL, *PAIR, "cache_dir=cache", *given))
    assert "\n" not in str(told.value)
    assert not Path("cache").exists()
