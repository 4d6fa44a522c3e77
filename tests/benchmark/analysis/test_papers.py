"""Tables for papers: tidy CSV, LaTeX that compiles, a column a metric."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from support.rows import row
from zoo.benchmark.tables import latex, rows
from zoo.benchmark.tables.text_table import Best
from zoo.commands import main

_DOCUMENT = r"""\documentclass[{}]{{article}}
\usepackage{{booktabs,graphicx}}
\begin{{document}}
{}
\end{{document}}
"""
_OPENS = re.compile(r"\\(begin|end)\{(\w+)\}")


@pytest.fixture
def table(tmp_path: Path) -> str:
    """Two encoders with three seeds, of which the one with an odd name is better by psnr, a hole and a baseline."""
    some = []
    for encoder, gain in (("[a_b]&50%", 1.0), ("unet", 0.0)):
        for seed in range(3):
            value = 20 + gain + 0.1 * seed + 0.01 * (seed == 1) * gain
            some.append(row(f"{encoder}{seed}", value=value, encoder=encoder, seed=seed))
            some.append(row(f"{encoder}{seed}", "fid", 5.0 + seed, encoder=encoder, seed=seed, higher_is_better=False))
    some.append(row("h", value=None, note="100 % of {it} is #1 & gone", encoder="hog"))
    some.append(row("g", value=-12.5, method="grey", encoder="", cond=""))
    rows.write(tmp_path / "t.csv", some)
    return str(tmp_path / "t.csv")


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments, command="compare") == 0
    return capsys.readouterr().out


def test_a_csv_has_one_row_a_cell_and_metric_and_numbers_as_numbers(
    table: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = pd.read_csv(io.StringIO(told(capsys, table, "--format", "csv")))
    assert not found.duplicated(["method", "encoder", "cond", "metric"]).any()
    assert found["mean"].dtype == found["sd"].dtype == float
    scores = found[found["kind"] == "score"].set_index(["encoder", "metric"])
    assert scores.loc[("unet", "psnr"), ["mean", "sd", "n"]].tolist() == pytest.approx([20.1, 0.1, 3])
    assert scores.loc[("hog", "psnr"), "note"] == "100 % of {it} is #1 & gone"
    assert scores["best"].sum() == 1
    assert bool(scores.loc[("[a_b]&50%", "psnr"), "best"])
    costs = found[(found["kind"] == "cost") & (found["encoder"] == "unet")].set_index("metric")["mean"]
    assert costs["train_seconds"] == 3.25


def test_what_a_csv_has_no_place_for_goes_to_stderr(table: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([table, "--format", "csv"], command="compare") == 0
    assert "note: there is no record of the settings of" in capsys.readouterr().err


def test_an_option_as_axis_is_a_column_of_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows.write(tmp_path / "t.csv", [row("a", value=1.0), row("b", value=2.0)])
    specs = {run: {"spec": {"train": {"lr": lr}}} for run, lr in (("a", 0.001), ("b", 0.01))}
    (tmp_path / "t.specs.json").write_text(json.dumps(specs))
    text = told(capsys, str(tmp_path / "t.csv"), "--rows", "train.lr", "--format", "csv")
    found = pd.read_csv(io.StringIO(text)).query("kind == 'score'")
    assert dict(zip(found["train.lr"], found["mean"])) == {0.001: 1.0, 0.01: 2.0}


@pytest.mark.parametrize("axis", ["method", "seed", "metric"])
def test_no_column_comes_twice_whatever_is_an_axis(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], axis: str
) -> None:
    rows.write(tmp_path / "t.csv", [row("a", value=1.0)])
    head = told(capsys, str(tmp_path / "t.csv"), "--rows", axis, "--format", "csv").splitlines()[0].split(",")
    assert len(set(head)) == len(head)
    assert axis in head


@pytest.mark.parametrize("format", ["terminal", "markdown", "latex"])
def test_one_table_of_all_has_a_line_a_pair_and_a_column_a_metric(
    table: str, capsys: pytest.CaptureFixture[str], format: str
) -> None:
    text = told(capsys, table, "--layout", "metrics", "--format", format).partition("costs")[0]
    lines = [re.sub(r"[|&\\$* ]+", " ", line).strip() for line in text.splitlines()]
    assert any(line.startswith("method encoder cond psnr ") for line in lines)
    assert [line for line in lines if line.startswith("diffusion unet none 20.10")] != []
    assert [line for line in lines if line.startswith("grey")] != []
    assert text.count("unet") == 1


def test_a_csv_has_no_layout(table: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([table, "--format", "csv", "--layout", "metrics"], command="compare") == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    "options", [[], ["--layout", "metrics"], ["--baseline", "encoder=unet,cond=none", "--metric", "psnr"]]
)
def test_latex_is_well_formed(table: str, capsys: pytest.CaptureFixture[str], options: list[str]) -> None:
    text = told(capsys, table, "--format", "latex", *options)
    set_ = "\n".join(line for line in text.splitlines() if not line.startswith("%"))
    open_: list[str] = []
    for what, name in _OPENS.findall(set_):
        if what == "begin":
            open_.append(name)
        else:
            assert open_.pop() == name
    assert open_ == []
    assert set_.isascii()
    bare = re.sub(r"\\[{}&%#_$]", "", set_)
    assert bare.count("{") == bare.count("}")
    assert bare.count("$") % 2 == 0
    assert not set(bare) & set("%#^~")
    assert "_" not in bare
    for sides, body in re.findall(r"\\begin\{tabular\}\{(\w+)\}(.*?)\\end\{tabular\}", bare, re.DOTALL):
        lines = [line for line in body.splitlines() if line.endswith(r"\\")]
        assert lines != []
        assert {line.count("&") for line in lines} == {len(sides) - 1}
        assert not any(line.startswith(("[", "*")) for line in lines)  # which LaTeX takes for an option of \\ before
    labels = re.findall(r"\\label\{(.*?)\}", set_)
    assert len(labels) == len(set(labels)) == set_.count(r"\caption{") == set_.count(r"\begin{table}")


@pytest.fixture
def many_metrics(tmp_path: Path) -> str:
    """A table of 120 metrics: more tables than LaTeX takes by itself, and far wider than a page as one."""
    rows.write(tmp_path / "m.csv", [row(metric=f"a_long_name_of_{i}", value=1.0 + i) for i in range(120)])
    return str(tmp_path / "m.csv")


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no TeX here")
@pytest.mark.parametrize(
    ("fixture", "options"),
    [
        ("table", ["--baseline", "encoder=unet,cond=none", "--metric", "psnr"]),
        ("many_metrics", []),
        ("many_metrics", ["--layout", "metrics"]),
    ],
)
@pytest.mark.parametrize("columns", ["onecolumn", "twocolumn"])
def test_latex_compiles_and_stays_within_its_column(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    request: pytest.FixtureRequest,
    fixture: str,
    options: list[str],
    columns: str,
) -> None:
    text = told(capsys, request.getfixturevalue(fixture), "--format", "latex", *options)
    (tmp_path / "t.tex").write_text(_DOCUMENT.format(columns, text), encoding="utf-8")
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "t.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "t.pdf").stat().st_size > 0
    assert "Overfull" not in done.stdout


def test_what_is_known_of_no_cell_is_no_column_of_costs(table: str, capsys: pytest.CaptureFixture[str]) -> None:
    costs = told(capsys, table).partition("\ncosts\n")[2].splitlines()[0]
    assert "training s" in costs
    assert "pretraining s" not in costs  # tables of before it was noted


def test_latex_sets_minus_signs_and_not_hyphens_and_the_best_bold() -> None:
    body = [["a", "b"], ["dpmpp-2m_x", Best("-1.5 … +2")]]
    assert r"dpmpp-2m\_x & {\bfseries\boldmath $-$1.5 \dots{} +2} \\" in latex.table("", "", [body], [], (0,))
