"""Scores with the settings of their runs, as pandas has them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import zoo.results
from support.rows import row
from zoo.benchmark.runs.folder import RECORD
from zoo.benchmark.tables import rows
from zoo.errors import ZooError


def spec(steps: int, **more: Any) -> dict[str, Any]:
    train = {"steps": steps, "lr": 0.001, "log": ["tensorboard"]}
    return {"seed": 0, "train": train, "encoder": {"name": "unet", "mults": [1, 2, 4]}, **more}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rows.write(tmp_path / "t.csv", [row("a"), row("a", "fid", None), row("b", value=2.5)])
    records = {"a": {"spec": spec(100)}, "b": {"spec": spec(200, cond={"name": "film"})}}
    (tmp_path / "t.specs.json").write_text(json.dumps(records))
    return tmp_path / "t.csv"


def test_each_score_stands_with_the_settings_of_its_run(table: Path) -> None:
    found = zoo.results.load(table)
    assert found["train.steps"].tolist() == [100, 100, 200]
    assert found["train.steps"].dtype.kind == "i"
    assert list(found.columns[: len(rows.COLUMNS)]) == rows.COLUMNS
    assert not found.columns.duplicated().any()
    assert found.groupby("train.steps")["value"].mean().to_dict() == {100: 1.5, 200: 2.5}


def test_a_list_is_text_that_can_be_grouped_by_and_what_changes_no_score_is_left_out(table: Path) -> None:
    found = zoo.results.load(table)
    assert found.groupby("encoder.mults").size().to_dict() == {"[1, 2, 4]": 3}
    assert "train.log" not in found


def test_what_a_run_does_not_have_is_missing(table: Path) -> None:
    found = zoo.results.load(table).set_index("run_id")
    assert found.loc["b", "cond.name"] == "film"
    assert found.loc["a", "cond.name"].isna().all()


def test_settings_come_from_the_folders_of_runs_too(tmp_path: Path) -> None:
    rows.write(tmp_path / "t.csv", [row("a"), row("lost")])
    (tmp_path / "runs" / "a").mkdir(parents=True)
    (tmp_path / "runs" / "a" / RECORD).write_text(json.dumps({"spec": spec(100)}))
    found = zoo.results.load(str(tmp_path / "*.csv"), runs=tmp_path / "runs")
    assert found["train.steps"].fillna(-1).tolist() == [100, -1]


def test_a_table_without_any_record_is_its_rows(tmp_path: Path) -> None:
    rows.write(tmp_path / "t.csv", [row("a")])
    assert list(zoo.results.load(tmp_path / "t.csv", runs=tmp_path)) == rows.COLUMNS


@pytest.mark.parametrize(
    ("given", "said"),
    [(["no.csv"], "table no.csv does not exist"), ([], "got none"), ([pd.DataFrame()], "a DataFrame")],
)
def test_errors_are_our_own(given: list[Any], said: str) -> None:
    with pytest.raises(ZooError, match=said):
        zoo.results.load(*given)


def test_it_is_there_without_an_import_of_its_own() -> None:
    code = "import zoo, sys; assert 'zoo.results' not in sys.modules; zoo.results.load; assert 'results' in dir(zoo)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
