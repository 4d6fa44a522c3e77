"""The report: one page that asks nobody for anything and says what the tables say, holes and all."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from support.reporting import BASELINE, EVIL, IMAGES, Benchmark, Page, page_of, run, table_of
from support.rows import row
from zoo.benchmark.tables import table_files


def test_the_page_refers_to_nothing_but_itself(page: Page) -> None:
    targets = [value for _, attributes in page.tags for name, value in attributes.items() if name in ("src", "href")]
    assert [target for target in targets if not target.startswith(("data:", "#"))] == []
    style, script = page.texts["style"][0], page.texts["script"][-1]
    assert re.findall(r"url\(|@import", style) == []
    assert re.findall(r"https?://[^\"]*", script) == ["http://www.w3.org/2000/svg"]


def test_only_the_scripts_and_styles_of_the_page_itself_may_run(page: Page) -> None:
    policy = next(a["content"] for a in page.attributes("meta") if a.get("http-equiv") == "Content-Security-Policy")
    hashes = [
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in (page.texts["style"][0], page.texts["script"][-1])
    ]
    assert policy.split("; ")[:4] == [
        "default-src 'none'",
        "img-src data:",
        f"style-src {hashes[0]}",
        f"script-src {hashes[1]}",
    ]


def test_a_label_is_text_whatever_it_says(page: Page) -> None:
    assert len(page.attributes("script")) == 2
    assert f"{EVIL} × concat" in page.texts["th"]
    assert f"{EVIL} × concat" in [cell["label"] for cell in page.data["cells"]]


def test_the_head_says_what_was_compared(page: Page) -> None:
    told = dict(zip(page.texts["dt"], page.texts["dd"]))
    assert told["Cells"] == "6 pairs of 3 encoders and 2 conditionings; baselines: grey, regression (unet × concat)"
    assert told["Runs"] == "15, with seeds 0, 1"
    assert told["Images scored"] == str(IMAGES)
    assert told["Protocol"] == "p"
    assert told["Device"] == "a CPU"
    assert told["Commit"] == "c0ffeec0ffee"
    assert told["sampler.steps"] == "10"


def cells_of(page: Page, label: str) -> list[str]:
    """The line of a cell in the table of scores."""
    return next(text.split("\n") for text in page.texts["tr"] if text.strip().startswith(label))


def test_the_best_pair_is_marked_and_a_baseline_never(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: Benchmark, page: Page
) -> None:
    best = [text.strip() for text in page.texts["tr"] if "★" in text]
    assert [line.split("\n")[0] for line in best] == ["unet × concat"]
    some = [
        *(row(f"a{i}", value=1.0 + i + 0.01 * (i == 1), seed=i) for i in range(3)),
        *(row(f"b{i}", value=2.0 + i, seed=i, encoder="unet") for i in range(3)),
        row("g", value=9.0, method="grey", encoder="", cond=""),
    ]
    higher = page_of(monkeypatch, tmp_path, table_of(tmp_path, *some))
    assert [text.strip().split("\n")[0] for text in higher.texts["tr"] if "★" in text] == ["unet × none"]


def test_means_stand_with_their_spread_and_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = table_of(tmp_path, *(row(str(seed), value=10.0 + seed, seed=seed) for seed in range(3)))
    assert "11.0± 1.0, n=3" in page_of(monkeypatch, tmp_path, table).texts["td"]


def test_scores_of_told_colours_have_a_place_where_a_table_has_them(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Colours that are told" not in page.text
    table = table_of(tmp_path, row(metric="psnr@0", value=20.0), row(metric="psnr@5", value=22.0))
    told = page_of(monkeypatch, tmp_path, table, "--runs", tmp_path)
    assert "Colours that are told" in told.text
    assert {"told", "told-view"} <= {tag.get("id") for _, tag in told.tags}


def test_a_hole_is_a_dash_with_its_reason(page: Page) -> None:
    missing = [a for a in page.attributes("td") if "missing" in a.get("class", "") and "weights" in a["title"]]
    assert len(missing) == 8
    assert all("data-value" not in cell for cell in missing)
    assert "fid (all cells): no weights & none to be had" in page.text


def test_what_is_drawn_of_differences_is_what_compare_says(made: Benchmark, page: Page) -> None:
    command = ["--runs", str(made.runs), "--baseline", BASELINE, "--metric", "st_lpips", "--format", "markdown"]
    compare = [sys.executable, "benchmarks/compare.py", str(made.table), *command]
    told = re.sub(" *\\| *", "|", subprocess.run(compare, capture_output=True, text=True, check=True).stdout)
    parts = page.data["differences"]["st_lpips"]["parts"]
    assert [part["title"] for part in parts] == [
        "Less unet × concat",
        "Main effect of encoder, less unet",
        "Main effect of cond, less concat",
    ]
    lines = [line for part in parts for line in part["lines"]]
    assert len(lines) == 7 + 2 + 1
    for line in lines:
        assert "|".join(line["texts"]) in told
        assert line["low"] <= line["value"] <= line["high"]
    assert {line["texts"][0]: line["decided"] for line in parts[0]["lines"]}["grey"] == "worse"
    assert "unet × concat has no value" in page.data["differences"]["fid"]["remark"]


def test_without_a_baseline_the_page_says_how_to_name_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: Benchmark
) -> None:
    page = page_of(monkeypatch, tmp_path, made.table, "--runs", made.runs)
    assert "No baseline was named" in page.text
    assert page.data["differences"] == {}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{table}", "--metric", "st_lpip"], "did you mean 'st_lpips'?"),
        (["{table}", "--baseline", "encoder=unit,cond=concat"], "did you mean 'unet'?"),
        (["missing.csv"], "table missing.csv does not exist"),
    ],
)
def test_errors_are_one_line_and_leave_no_page(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    made: Benchmark,
    arguments: list[str],
    said: str,
) -> None:
    out = tmp_path / "report.html"
    given = [argument.format(table=made.table) for argument in arguments]
    assert run(monkeypatch, *given, "--runs", made.runs, "--out", out) == 2
    told = capsys.readouterr().err
    assert said in told
    assert len(told.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_page_that_exists_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], made: Benchmark
) -> None:
    (tmp_path / "report.html").write_text("mine")
    assert run(monkeypatch, made.table, "--out", tmp_path / "report.html") == 2
    assert "exists and is not overwritten" in capsys.readouterr().err
    assert (tmp_path / "report.html").read_text() == "mine"


def test_runs_that_are_not_comparable_make_no_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = table_of(tmp_path, row("a"), row("b", encoder="unet", protocol_id="q"))
    assert run(monkeypatch, table, "--out", tmp_path / "report.html") == 2
    assert "there is no record of all protocols, and protocol_id is p in run a, q in run b" in capsys.readouterr().err


def test_a_table_alone_makes_a_page_that_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = table_of(tmp_path, row("a"), row("b", encoder="unet", value=2.0))
    page = page_of(monkeypatch, tmp_path, table, "--runs", tmp_path / "none", "--baseline", "encoder=none,cond=none")
    assert "No loss was found for: none × none, seed 0;" in page.text
    assert "None of the runs left a sample grid" in page.text
    assert "One seed is no finding" in page.text
    lines = page.data["differences"]["psnr"]["parts"][0]["lines"]
    assert {line["decided"] for line in lines} == {""}
    assert all(line["low"] is None for line in lines)


def test_values_per_image_beside_the_table_serve_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: Benchmark
) -> None:
    (tmp_path / "t.csv").write_bytes(made.table.read_bytes())
    folders = sorted(made.runs.iterdir())
    parts = [pd.read_parquet(folder / table_files.PER_IMAGE).assign(run_id=folder.name) for folder in folders]
    pd.concat(parts).to_parquet(tmp_path / "t.per_image.parquet", index=False)
    arguments = [tmp_path / "t.csv", "--runs", tmp_path / "none", "--baseline", BASELINE]
    lines = page_of(monkeypatch, tmp_path, *arguments).data["differences"]["st_lpips"]["parts"][0]["lines"]
    assert {line["texts"][7] for line in lines} == {str(IMAGES)}


def test_reporting_does_not_wait_for_torch() -> None:
    code = "import sys, zoo.benchmark.report.report; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
