"""Differences to a baseline: what is claimed, what is undecided, what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from support.comparing import differences, run
from support.rows import row
from support.tables import frame
from zoo.benchmark.analysis.study import baseline
from zoo.benchmark.tables import rows
from zoo.benchmark.tables.comparable import Table


def test_differences_to_a_baseline_are_claimed_where_they_are_and_nowhere_else(
    benchmark: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, str(benchmark), "--baseline", "encoder=unet,cond=concat", "--format", "csv") == 0
    told = capsys.readouterr().out
    found = differences(told, "psnr")
    assert {name: line["verdict"] for name, line in found.items()} == {
        "none × concat": "undecided",
        "none × xattn": "undecided",
        "arcface × concat": "better",
        "arcface × xattn": "better",
        "unet × xattn": "undecided",
        "grey": "worse",
    }
    assert [found["arcface × concat"][name] for name in ("seeds", "images", "samplings")] == ["3", "120", ""]
    effects = {name: line["verdict"] for name, line in differences(told, "psnr", "effect").items()}
    assert effects == {"none": "undecided", "arcface": "better", "xattn": "undecided"}
    without_images = differences(told, "fid")
    assert [without_images["arcface × concat"][name] for name in ("verdict", "seeds", "images")] == [
        "different",
        "3",
        "",
    ]
    assert "grey" not in without_images
    assert run(monkeypatch, str(benchmark), "--baseline", "encoder=unet,cond=concat") == 0
    assert "psnr: interaction of encoder and cond: F(" in capsys.readouterr().out


def test_a_baseline_may_be_one_that_trains_nothing(
    benchmark: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--baseline", "method=grey", "--metric", "psnr", "--format", "csv"]
    assert run(monkeypatch, str(benchmark), *arguments) == 0
    told = capsys.readouterr().out
    found = differences(told, "psnr")
    assert {line["verdict"] for line in found.values()} == {"better"}
    assert differences(told, "psnr", "effect") == {}


def test_one_seed_is_always_undecided_and_says_why(
    benchmark: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows.write(benchmark, [r for r in rows.read(benchmark) if r.seed == 0])
    assert run(monkeypatch, str(benchmark), "--baseline", "encoder=unet,cond=concat", "--metric", "psnr") == 0
    told = capsys.readouterr().out
    assert "better" not in told.replace("higher is better", "")
    assert "worse" not in told
    assert "one seed: other seeds may differ" in told
    assert "* " not in told  # whatever images say


def test_a_cell_that_ran_with_one_seed_is_undecided_whatever_the_others_did(
    benchmark: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows.write(benchmark, [r for r in rows.read(benchmark) if r.run_id not in ("arcface-xattn-1", "arcface-xattn-2")])
    arguments = ["--baseline", "encoder=unet,cond=concat", "--metric", "psnr", "--format", "csv"]
    assert run(monkeypatch, str(benchmark), *arguments) == 0
    found = differences(capsys.readouterr().out, "psnr")
    one, three = ([found[f"arcface × {cond}"][name] for name in ("verdict", "seeds")] for cond in ("xattn", "concat"))
    assert one == ["undecided", "1"]
    assert three == ["better", "3"]


def test_a_hole_is_compared_with_nothing_and_keeps_its_reason(
    benchmark: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    some = [
        replace(r, value=None, note="no weights") if (r.encoder, r.cond) == ("none", "concat") else r
        for r in rows.read(benchmark)
    ]
    rows.write(benchmark, some)
    for base in ("encoder=unet,cond=concat", "encoder=none,cond=concat"):
        assert run(monkeypatch, str(benchmark), "--baseline", base, "--metric", "psnr") == 0
        told = capsys.readouterr().out
        assert "no weights" in told
        assert "main effect" not in told
    assert "better" not in told.replace("higher is better", "")
    arguments = ["--effects", "--baseline", "encoder=unet,cond=concat", "--metric", "psnr"]
    assert run(monkeypatch, str(benchmark), *arguments) == 2
    assert "psnr lacks pairs of encoder × cond" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("encoder=unte,cond=concat", "did you mean 'unet'?"),
        ("encodr=unet", "did you mean 'encoder'?"),
        ("unet", "expected key=value"),
        ("encoder=unet", "fits 2 cells (unet × concat, unet × xattn)"),
        ("method=regression", "unknown method 'regression'"),
    ],
)
def test_a_baseline_that_is_not_one_cell_is_an_error_of_one_line(
    benchmark: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], given: str, said: str
) -> None:
    assert run(monkeypatch, str(benchmark), "--baseline", given) == 2
    told = capsys.readouterr()
    assert said in told.err
    assert len(told.err.splitlines()) == 1
    assert told.out == ""


def test_a_baseline_with_options_in_its_name_is_found() -> None:
    rows_ = frame(row("a", encoder="unet(mults=[1, 2, 4], depth=3)"), row("b"))
    found = baseline(Table(rows_, {}, {}), "encoder=unet(mults=[1, 2, 4], depth=3),cond=none")
    assert found.row == "unet(mults=[1, 2, 4], depth=3)"


def test_photos_of_one_person_count_as_one_where_it_is_known_who_is_on_them(
    benchmark: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A cell is as good on five photos as the person on them is easy for it: 120 photos are 24 people."""
    values = pd.read_parquet(benchmark.parent / "t.per_image.parquet")
    people = pd.Series([f"{int(i) // 5:03d}" for i in values["image"]])
    of_cell = values["run_id"].str[:-2] + people
    easy = dict(zip(of_cell.unique(), np.random.default_rng(1).normal(size=of_cell.nunique())))
    values["psnr"] += of_cell.map(easy)
    arguments = [str(benchmark), "--baseline", "encoder=unet,cond=concat", "--metric", "psnr", "--format", "csv"]

    def width() -> float:
        values.to_parquet(benchmark.parent / "t.per_image.parquet", index=False)
        assert run(monkeypatch, *arguments) == 0
        told = capsys.readouterr().out
        found = differences(told, "psnr")["none × concat"]
        return float(found["high"]) - float(found["low"])

    alone = width()
    values["person"] = people
    assert width() > 1.1 * alone
    values.loc[values["run_id"] != "g", "person"] = None  # what one run says of a photo holds for all
    assert width() > 1.1 * alone


def test_runs_that_disagree_on_who_is_on_a_photo_are_refused(
    benchmark: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    values = pd.read_parquet(benchmark.parent / "t.per_image.parquet")
    values["person"] = [f"{'x' * (run_id == 'g')}{int(i) // 5}" for run_id, i in zip(values["run_id"], values["image"])]
    values.to_parquet(benchmark.parent / "t.per_image.parquet", index=False)
    assert run(monkeypatch, str(benchmark), "--baseline", "encoder=unet,cond=concat") == 2
    told = capsys.readouterr().err
    assert "who is on 0 is 0 in run none-concat-0 and x0 in run g; give one data.people to all runs" in told
    assert len(told.splitlines()) == 1
