"""Tables of encoder × conditioner, and what may not be put into one."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from support.comparing import run, seeds, table_of
from support.rows import row
from support.tables import study
from zoo.benchmark.analysis import text
from zoo.benchmark.tables import rows, table_files
from zoo.benchmark.tables.text_table import Best, beside
from zoo.commands import main


def scores(tmp_path: Path, *some: rows.Row) -> tuple[list[list[str]], list[str]]:
    found = study(*some)
    body, _, notes = text.scores(found.lines, found.metrics[0], "encoder")
    return body, notes


def load(tmp_path: Path, *some: rows.Row) -> pd.DataFrame:
    return table_files.load([Path(table_of(tmp_path, *some))])


@pytest.mark.parametrize(("higher", "best"), [(True, "facenet"), (False, "arcface")])
def test_the_best_is_marked_in_the_sense_of_the_metric(tmp_path: Path, higher: bool, best: str) -> None:
    body, _ = scores(tmp_path, *seeds("arcface", 1.0, higher), *seeds("facenet", 2.0, higher))
    assert [line[0] for line in body[1:] if isinstance(line[1], Best)] == [best]


@pytest.mark.parametrize(
    "others",
    [
        seeds("facenet", 1.995),  # a runner-up within what seeds do
        [*seeds("facenet", 1.0), row("h0", value=1.9, encoder="hog")],  # one that ran with one seed
        [*seeds("facenet", 1.0), row("h9", value=1.0, encoder="hog", seed=9)],  # one with no seed in common
        [],
    ],
)
def test_the_best_is_marked_only_where_it_is_decided_against_each_other_pair(
    tmp_path: Path, others: list[rows.Row]
) -> None:
    body, _ = scores(tmp_path, *seeds("arcface", 2.0), *others, *(seeds("unet", 1.0) if others else ()))
    assert [line for line in body[1:] if isinstance(line[1], Best)] == []


def test_photos_alone_make_no_pair_best(benchmark: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One seed of two cells, of which one is better on each photo."""
    rows.write(benchmark, [r for r in rows.read(benchmark) if r.run_id in ("arcface-concat-0", "unet-concat-0")])
    assert main([str(benchmark), "--metric", "psnr"], command="compare") == 0
    assert "* " not in capsys.readouterr().out


def test_a_pair_without_a_value_keeps_no_other_from_being_best(tmp_path: Path) -> None:
    none = row("n", value=None, note="no weights", encoder="hog")
    body, _ = scores(tmp_path, *seeds("arcface", 2.0), *seeds("unet", 1.0), none)
    assert [line[0] for line in body[1:] if isinstance(line[1], Best)] == ["arcface"]


def test_nothing_is_best_where_neither_way_is_better(tmp_path: Path) -> None:
    body, _ = scores(tmp_path, *seeds("arcface", 2.0, None), *seeds("unet", 1.0, None))
    assert not any(isinstance(cell, Best) for line in body for cell in line)


def test_seeds_are_averaged_and_their_spread_and_number_told(tmp_path: Path) -> None:
    body, _ = scores(tmp_path, *(row(str(seed), value=float(seed), seed=seed) for seed in range(3)))
    assert body[1][1] == "1.0 ± 1.0 (n=3)"


def test_the_number_of_seeds_is_told_once_where_all_cells_have_as_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    some = [*seeds("arcface", 2.0), *seeds("unet", 1.0)]
    assert run(monkeypatch, table_of(tmp_path, *some)) == 0
    told = capsys.readouterr().out
    assert "± is the standard deviation over 3 seeds" in told
    assert "(n=" not in told
    assert run(monkeypatch, table_of(tmp_path, *some[:-1])) == 0
    told = capsys.readouterr().out
    assert "± is the standard deviation over n seeds" in told
    assert "(n=3)" in told
    assert "(n=2)" in told


@pytest.mark.parametrize(
    ("mean", "sd", "expected"),
    [
        (12.3457, 0.0341, ("12.346", "0.034")),
        (12.3, 0.0996, ("12.30", "0.10")),  # rounds up to the next power of ten
        (12345.0, 321.0, ("12340", "320")),
        (-0.003, 0.12, ("0.00", "0.12")),
        (12.3, 1e-12, ("12.3000", "1e-12")),
        (0.5, 0.0, ("0.5000", "0")),
        (1e-5, 3e-6, ("1e-05", "3e-06")),
    ],
)
def test_a_mean_is_rounded_to_the_second_digit_of_its_standard_deviation(
    mean: float, sd: float, expected: tuple[str, str]
) -> None:
    assert beside(mean, sd) == expected


def test_what_is_the_same_in_all_runs_and_has_no_better_side_is_told_once_and_shown_if_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    constant = [row(f"{i}", "chroma_truth", 23.45678, higher_is_better=None, seed=i) for i in range(3)]
    sided = [row(f"{i}", "psnr", 1.5, seed=i) for i in range(3)]
    varying = [row(f"{i}", "chroma", 20.0 + i, higher_is_better=None, seed=i) for i in range(3)]
    path = table_of(tmp_path, *constant, *sided, *varying)
    assert run(monkeypatch, path) == 0
    told = capsys.readouterr().out
    assert "note: chroma_truth is 23.46 in all runs" in told
    assert [line.split(" (")[0] for line in told.splitlines() if "(" in line][:2] == ["psnr", "chroma"]
    assert run(monkeypatch, path, "--metric", "chroma_truth") == 0
    assert "chroma_truth (to compare" in capsys.readouterr().out


def test_a_hole_shows_as_a_hole_with_its_reason_and_what_never_ran_as_nothing(tmp_path: Path) -> None:
    body, notes = scores(
        tmp_path, row("a", value=None, note="no weights"), row("b", encoder="unet", cond="film", value=1.0)
    )
    assert body == [["encoder", "none", "film"], ["none", "– [1]", ""], ["unet", "", "1.000"]]
    assert notes == ["no weights"]


def test_costs_stand_beside_the_scores() -> None:
    pair, grey = row("a", params=2_500_000), row("g", method="grey", encoder="", cond="", params=0)
    body = text.costs(study(pair, row("a", "fid", params=2_500_000)))
    assert body[1][:3] == ["none", "none", "2,500,000"]
    assert len(body) == 2
    body = text.costs(study(grey, pair))
    assert [line[:4] for line in body[1:]] == [["diffusion", "none", "none", "2,500,000"], ["grey", "", "", "0"]]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["missing-*.csv"], "table missing-*.csv does not exist"),
        (["{table}", "--metric", "psrn"], "did you mean 'psnr'?"),
    ],
)
def test_errors_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    path = table_of(tmp_path, row())
    assert run(monkeypatch, *(argument.format(table=path) for argument in arguments)) == 2
    told = capsys.readouterr().err
    assert said in told
    assert len(told.splitlines()) == 1


def test_a_glob_a_format_and_a_file_to_write_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows.write(tmp_path / "one.csv", [row("a")])
    rows.write(tmp_path / "two.csv", [row("b", encoder="unet", value=0.5)])
    out = tmp_path / "table.md"
    assert run(monkeypatch, str(tmp_path / "*.csv"), "--format", "markdown", "--out", str(out)) == 0
    text = out.read_text()
    assert "### psnr (higher is better)" in text
    assert "| unet" in text
    assert "1.500 |" in text


def test_a_baseline_has_a_line_under_the_pairs_and_is_never_marked_best() -> None:
    regression = {"method": "regression", "encoder": "unet", "cond": "concat"}
    found = study(
        *seeds("arcface", 2.0),
        *seeds("unet", 1.0),
        row("g", method="grey", encoder="", cond="", value=9.0),
        *(row(f"r{i}", value=8.0 + i, seed=i, **regression) for i in range(3)),
    )
    matrix, baselines, _ = text.scores(found.lines, found.metrics[0], "encoder", 3)
    assert matrix == [["encoder", "none"], ["arcface", "2.00 ± 0.10"], ["unet", "1.00 ± 0.10"]]
    assert baselines[1:] == [["grey", "9.000"], ["regression (unet × concat)", "9.0 ± 1.0"]]
    assert [isinstance(line[1], Best) for line in (*matrix[1:], *baselines[1:])] == [True, False, False, False]


@pytest.mark.parametrize(
    ("format", "expected"),
    [
        ("terminal", ["* 2.00 ± 0.10"]),
        ("markdown", ["| none_x ", "| **2.00 ± 0.10** |", "### psnr (higher is better)"]),
        ("csv", ["score,diffusion,none_x,none,psnr,True,8,True,3,2.0,0.1", ",50 % of it\n"]),
        ("latex", [r"none\_x & {\bfseries\boldmath 2.00 $\pm$ 0.10} \\", r"\label{tab:psnr}", r"[1] 50 \% of it"]),
    ],
)
def test_each_format_is_what_its_readers_expect(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    format: str,
    expected: list[str],
) -> None:
    some = [*seeds("none_x", 2.0), *(replace(r, value=r.value - 1.5) for r in seeds("facenet", 2.0) if r.value)]
    path = table_of(tmp_path, *some, row("h", value=None, note="50 % of it", encoder="unet"))
    assert run(monkeypatch, path, "--format", format) == 0
    told = capsys.readouterr().out
    assert [part for part in expected if part not in told] == []


def test_the_same_run_in_two_tables_counts_once_and_in_conflict_names_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows.write(tmp_path / "a.csv", [row("a", value=1.0), row("b", encoder="unet", value=None)])
    rows.write(tmp_path / "b.csv", [row("b", encoder="unet", value=2.0), row("a", value=1.0, device="other")])
    table = table_files.load([tmp_path / "a.csv", tmp_path / "b.csv"])
    assert list(zip(table["run_id"], table["value"])) == [("a", 1.0), ("b", 2.0)]
    rows.write(tmp_path / "c.csv", [row("a", value=1.5)])
    assert run(monkeypatch, str(tmp_path / "*.csv")) == 2
    told = capsys.readouterr().err
    assert f"value is 1.0 in {tmp_path / 'a.csv'} and 1.5 in {tmp_path / 'c.csv'}" in told


def test_comparing_does_not_wait_for_torch() -> None:
    code = "import sys, zoo.benchmark.analysis.compare, zoo.benchmark.tables.merge; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
