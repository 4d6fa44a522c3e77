"""The example that searches options with Optuna, where that is installed."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from support.small import SMALL

optuna = pytest.importorskip("optuna", reason="needs the extra optuna")
FILE = Path(__file__).parents[1] / "examples" / "optuna_search.py"
FALLS = "import pathlib, sys, time; f = pathlib.Path(sys.argv[1]) / 'r' / 'val.csv'; f.parent.mkdir(); "
FALLS += "f.write_text('step,loss,psnr\\n10,0.5,\\n20,0.25,\\n'); time.sleep(float(sys.argv[2]))"


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("optuna_search", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "PAUSE", 0.05)
    return module


class Trial:
    """One that is pruned after ``patience`` reports; None: never."""

    number = 3

    def __init__(self, patience: int | None) -> None:
        self.patience, self.told = patience, dict[int, float]()

    def report(self, loss: float, step: int) -> None:
        self.told[step] = loss

    def should_prune(self) -> bool:
        return self.patience is not None and len(self.told) >= self.patience


def command(folder: Path, seconds: float) -> list[str]:
    return [sys.executable, "-c", FALLS, str(folder), str(seconds)]


def test_a_trial_is_told_each_loss_and_gives_the_last(example: ModuleType, tmp_path: Path) -> None:
    trial = Trial(None)
    assert example.follow(trial, command(tmp_path, 0), tmp_path) == 0.25
    assert trial.told == {10: 0.5, 20: 0.25}


def test_a_trial_that_is_pruned_ends_its_run(example: ModuleType, tmp_path: Path, monkeypatch: Any) -> None:
    begun: list[Any] = []
    popen = example.subprocess.Popen
    monkeypatch.setattr(example.subprocess, "Popen", lambda *a, **k: begun.append(popen(*a, **k)) or begun[0])
    with pytest.raises(optuna.TrialPruned):
        example.follow(Trial(2), command(tmp_path, 600), tmp_path)
    assert begun[0].poll() is not None


def test_a_run_that_fails_names_its_log(example: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"trial 3 failed; .*log\.txt tells why"):
        example.follow(Trial(None), [sys.executable, "-c", "print('no'); raise SystemExit(2)"], tmp_path)
    assert (tmp_path / "log.txt").read_text() == "no\n"


@pytest.mark.slow
def test_a_search_runs_the_benchmark_and_goes_on_where_it_was(example: ModuleType, tmp_path: Path) -> None:
    given = {"storage": f"sqlite:///{tmp_path / 'o.db'}", "folder": tmp_path / "runs"}
    small = [*SMALL, "train.val_every=1", f"cache_dir={tmp_path / 'cache'}"]
    study = example.search(small, trials=1, pruner=optuna.pruners.NopPruner(), **given)
    assert [trial.state.name for trial in study.trials] == ["COMPLETE"]
    assert sorted(study.trials[0].intermediate_values) == [1, 2]
    assert study.best_value == study.trials[0].intermediate_values[2]
    study = example.search(
        [*small, "train.steps=100"], trials=1, pruner=optuna.pruners.ThresholdPruner(upper=0), **given
    )
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "PRUNED"]
    assert not list(tmp_path.glob("runs/trial-1/*/rows.csv"))
