"""What was spent once before a first step stands in the rows of every run that shares it."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.composing import composed
from support.small import SMALL
from zoo.benchmark.runs import experiment
from zoo.benchmark.tables import rows


def test_the_seconds_of_the_pass_for_features_stand_in_the_rows_of_all_who_use_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data = ["data.n_train=6", "data.n_val=1", "data.n_test=3", "data.size=32", "cache_dir=cache", "table=t.csv"]
    for seed in (0, 1):
        experiment.run(composed(*SMALL, *data, "encoder=hog", f"seed={seed}"))
    one, other = rows.read(Path("t.csv"))
    assert one.run_id != other.run_id
    assert one.feature_seconds == other.feature_seconds
    assert one.feature_seconds  # of a pass that there was
    assert one.pretrain_seconds == 0
