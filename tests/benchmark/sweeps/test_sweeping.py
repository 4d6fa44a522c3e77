"""Sweeps as a user gives them: what is refused before it starts, what stops, and what need not be done again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hydra.core.config_store import ConfigStore

from support.rows import row
from support.sweeping import TINY, scores
from zoo.benchmark.runs.again import taken_from
from zoo.benchmark.runs.folder import RunFolder
from zoo.benchmark.tables import rows
from zoo.commands import main
from zoo.registry import metrics

BROKEN = """
import zoo

@zoo.register_metric("broken")
class Broken(zoo.Metric):
    def names(self): return {"broken": None}
    def update(self, pred, truth): raise RuntimeError("a bug of mine")
    def compute(self): return []
"""
STUDY = """
primary: psnr
options: {image_size: 16, denoiser.width: 32, denoiser.mults: [1], train.steps: 2, train.batch_size: 4, train.log: [],
  train.val_every: null, data.limit: 6, eval.limit: 3, eval.grid: 1, eval.samples: 1, sampler.steps: 1, device: cpu,
  metrics: [psnr]}
axes: {cond: [none, film]}
baselines: [grey]
"""
BLOCKS = """
options: {encoder: none, cond: film, train.steps: 3}
blocks:
  narrow: {cells: [{cond.hidden: 8}]}
  wide: {cells: [{cond.hidden: 16}]}
  other: {cells: [{cond.hidden: 4}, {cond.hidden: 8}]}
  unused: {cells: [{cond.hidden: 4}]}
compare: {baseline: {cond: film(hidden=16)}}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, with a metric that fails when it is asked for."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    (tmp_path / "broken.py").write_text(BROKEN)
    yield tmp_path
    metrics._classes.pop("broken", None)
    ConfigStore.instance().repo.get("metrics", {}).pop("broken.yaml", None)


def test_fail_fast_starts_no_other_cell_after_one_that_failed(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["plugins=[broken.py]", "metrics=[broken],[psnr]", "cond=none"]
    assert main(["run", "-m", *TINY, "--fail-fast", *given]) == 2
    told = capsys.readouterr()
    assert "0 of 2 cells done" in told.out
    assert "failed: metrics=[broken]: metric 'broken'" in told.err
    assert "not started: metrics=[psnr]: another one failed before (--fail-fast)" in told.err
    assert not (here / "table.csv").exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            ["cond=none,film", "cond.film.hidden=many"],
            "cond.hidden must be an integer, not 'many' (1 of 2 cells cannot",
        ),
        (["encoder=none,arcface", "encoder.arcface.weights=no.onnx"], "encoder.weights=no.onnx"),
        (["data=synthetic,folder", "data.folder.root=nowhere"], "data.root='nowhere' is not"),
        (["method=grey,folder", "method.folder.root=nowhere"], "method.root='nowhere' is not"),
        (["device=cpu,cuda:99"], "device=cuda:99 is not available"),
    ],
)
def test_cells_that_cannot_run_are_refused_before_any_is_started(
    given: list[str], said: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "-m", *TINY, *given]) == 2
    (line,) = (line for line in capsys.readouterr().err.splitlines() if line.startswith("error: "))
    assert said in line
    assert "none was started)" in line
    assert not (here / "results").exists()


def test_reasons_that_differ_are_told_cell_by_cell(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "-m", *TINY, "cond=film,concat,none", "cond.film.hidden=x", "cond.concat.channels=y"]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert lines[0].startswith("error: cond=film cond.hidden=x: cond.hidden must be")
    assert lines[1].startswith("error: cond=concat cond.channels=y: cond.channels must be")
    assert lines[2] == "error: 2 of 3 cells cannot run, for the reasons above; none was started"


def test_what_the_table_of_a_study_has_is_not_done_again_in_another_folder(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "s.yaml").write_text(STUDY)
    assert main(["run", "+study=s.yaml", "cond=film"]) == 0
    assert main(["status"]) == 0
    assert "of s.yaml" in capsys.readouterr().out
    other = here / "other"
    other.mkdir()
    for name in ("s.yaml", "s.csv", "s.specs.json"):
        shutil.copy(here / name, other)
    monkeypatch.chdir(other)
    assert main(["run", "+study=s.yaml"]) == 0
    told = capsys.readouterr().out
    assert "3 of 3 cells done" in told
    assert told.count("is done already") == 1
    assert " and its rows in s.csv" in told
    assert len(list(other.glob("results/runs/*/checkpoint.pt"))) == 1  # of cond=none
    before, now = scores(here / "s.csv"), scores(other / "s.csv")
    assert [found for found in now if found.run_id == before[0].run_id] == before
    assert len({found.run_id for found in now}) == 3
    records = json.loads((other / "s.specs.json").read_text())
    assert [record["spec"]["metrics"]["primary"] for record in records.values()] == ["psnr"] * 3


def test_a_study_says_which_rows_of_its_table_are_compared_or_reported_and_how(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "s.yaml").write_text(BLOCKS)
    more = ["metrics.primary=psnr", "table=s.csv", "cond=film", "train.steps=3", "encoder=none"]
    assert main(["run", "-m", *TINY, "metrics=[psnr]", "cond.hidden=8,16", "train.lr=0.002", *more]) == 0
    capsys.readouterr()
    assert main(["compare", "--study", "s.yaml", "--only", "wide"]) == 0
    told = capsys.readouterr().out
    assert "less none × film(hidden=16)" in told
    assert "film(hidden=8)" not in told
    assert main(["compare", "--study", "s.yaml"]) == 0
    told = capsys.readouterr().out
    assert "film(hidden=8)" in told
    assert "1 of 3 cells of s.yaml have no rows: cond.hidden=4" in told
    assert main(["compare", "--study", "s.yaml", "--only", "narrow"]) == 2  # a cell of two blocks; no baseline here
    assert "Available: film(hidden=8)" in capsys.readouterr().err
    assert main(["compare", "--study", "s.yaml", "--only", "unused"]) == 2
    assert capsys.readouterr().err == "error: no run of the table is a cell of s.yaml, unused\n"
    assert main(["compare", "--study", "s.yaml", "--only", "othr"]) == 2
    assert "--only: unknown block or cell 'othr'; did you mean 'other'?" in capsys.readouterr().err
    for only, there in (("wide", True), ("unused", False)):
        page = here / f"{only}.html"
        assert main(["report", "--study", "s.yaml", "--only", only, "--out", page.name]) == (0 if there else 2)
        assert page.exists() == there
    assert capsys.readouterr().err == "error: no run of the table is a cell of s.yaml, unused\n"
    told = (here / "wide.html").read_text()
    assert "film(hidden=16)" in told
    assert "film(hidden=8)" not in told
    assert "have no rows" not in told
    assert main(["report", "--study", "s.yaml", "--out", "all.html"]) == 0
    told = (here / "all.html").read_text()
    assert "film(hidden=8)" in told
    assert "1 of 3 cells of s.yaml have no rows: cond.hidden=4" in told
    named = BLOCKS.replace("cells: [{cond.hidden: 16}]", "axes: {cond: [{as: broad, cond.hidden: 16}]}")
    (here / "n.yaml").write_text(named.replace("film(hidden=16)", "broad"))
    capsys.readouterr()
    assert main(["compare", "s.csv", "--study", "n.yaml", "--only", "wide"]) == 0
    told = capsys.readouterr().out
    assert "less none × broad" in told
    assert "hidden=16" not in told
    assert main(["compare"]) == 2
    assert capsys.readouterr().err == "error: give a TABLE, or --study FILE\n"


def test_a_cell_that_says_null_has_the_run_that_found_what_it_stands_for(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = "blocks: {usual: {cells: [{}]}, more: {axes: {cond: [{as: all maps, cond: xattn, cond.maps: null}]}}}"
    of_all = STUDY.replace("train.val_every: null,", "encoder: hog, cond: xattn,")
    (here / "s.yaml").write_text(of_all.replace("axes: {cond: [none, film]}\nbaselines: [grey]", blocks))
    assert main(["run", "+study=s.yaml"]) == 0
    capsys.readouterr()
    for block, there, absent in (("more", "all maps", "xattn"), ("usual", "xattn", "all maps")):
        assert main(["compare", "--study", "s.yaml", "--only", block]) == 0
        told = capsys.readouterr().out
        assert there in told
        assert absent not in told
        assert "have no rows" not in told


def test_a_cell_may_say_null_because_another_of_its_options_asks_for_it(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = "cells: [{cond: film, train.steps: null, train.seconds: 0.1}]"
    (here / "s.yaml").write_text(STUDY.replace("axes: {cond: [none, film]}", cells))
    assert main(["run", "+study=s.yaml"]) == 0
    capsys.readouterr()
    assert main(["compare", "--study", "s.yaml"]) == 0
    told = capsys.readouterr().out
    assert "film" in told
    assert "have no rows" not in told


def test_rows_of_a_run_that_lack_a_metric_do_not_make_it_done(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path, "r")
    rows.write(tmp_path / "t.csv", [row("r", "psnr", 1.0), row("r", "skin_tone[a]", 2.0), row("other", "ssim", 3.0)])
    assert not taken_from(tmp_path / "t.csv", folder, ["psnr", "ssim"])
    assert not taken_from(tmp_path / "none.csv", folder, ["psnr"])
    assert not folder.done
    assert taken_from(tmp_path / "t.csv", folder, ["psnr", "skin_tone"])
    assert [found.metric for found in rows.read(folder.rows)] == ["psnr", "skin_tone[a]"]
