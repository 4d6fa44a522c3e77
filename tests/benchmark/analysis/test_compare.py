"""Tables of encoder × conditioner, and what may not be put into one."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from support.rows import row
from support.tables import frame, study
from zoo.benchmark.analysis import text
from zoo.benchmark.analysis.study import baseline
from zoo.benchmark.tables import rows, table_files
from zoo.benchmark.tables.comparable import Table
from zoo.benchmark.tables.text_table import Best, beside
from zoo.commands import main


def table_of(tmp_path: Path, *some: rows.Row) -> str:
    path = tmp_path / "t.csv"
    rows.write(path, some)
    return str(path)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    return main(arguments, command="compare")


def scores(tmp_path: Path, *some: rows.Row) -> tuple[list[list[str]], list[str]]:
    found = study(*some)
    body, _, notes = text.scores(found.lines, found.metrics[0], "encoder")
    return body, notes


def load(tmp_path: Path, *some: rows.Row) -> pd.DataFrame:
    return table_files.load([Path(table_of(tmp_path, *some))])


def seeds(encoder: str, value: float, higher: bool | None = True) -> list[rows.Row]:
    """Three runs about ``value``, of which seeds take 0.1 either way, and what is left a tenth of that."""
    left = {"arcface": 1, "facenet": -1}.get(encoder, 0)
    return [
        row(
            f"{encoder}-{i}",
            value=value + 0.1 * (i - 1) + 0.01 * left * (i == 1),
            seed=i,
            encoder=encoder,
            higher_is_better=higher,
        )
        for i in range(3)
    ]


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


ENCODERS, CONDS, SEEDS, IMAGES = ("none", "unet", "arcface"), ("concat", "xattn"), 3, 120


@pytest.fixture
def benchmark(tmp_path: Path) -> Path:
    """A table of 3 × 2 cells and grey, where arcface is better by 0.5 than the others, with values per image beside
    it; psnr has them, fid has none."""
    generator = np.random.default_rng(0)
    images, seeds = 3 * generator.normal(size=IMAGES), generator.normal(size=SEEDS)
    some, parts = [], []
    for encoder in ENCODERS:
        for cond in CONDS:
            for seed in range(SEEDS):
                run_id = f"{encoder}-{cond}-{seed}"
                values = images + seeds[seed] + 0.5 * (encoder == "arcface") + 0.2 * generator.normal(size=IMAGES)
                cell = {"encoder": encoder, "cond": cond, "seed": seed}
                some.append(row(run_id, value=float(values.mean()), **cell))
                some.append(row(run_id, "fid", float(values[:9].mean()), higher_is_better=None, **cell))
                parts.append(pd.DataFrame({"run_id": run_id, "image": range(IMAGES), "psnr": values}))
    grey = images - 5
    some.append(row("g", value=float(grey.mean()), method="grey", encoder="", cond=""))
    parts.append(pd.DataFrame({"run_id": "g", "image": range(IMAGES), "psnr": grey}))
    rows.write(tmp_path / "t.csv", some)
    values = pd.concat(parts).astype({"image": str})
    values.to_parquet(tmp_path / "t.per_image.parquet", index=False)
    return tmp_path / "t.csv"


def differences(told: str, metric: str, kind: str = "score") -> dict[str, dict[str, str]]:
    """The rows of one metric in a tidy CSV that have a difference, by their cell."""
    found = [line for line in csv.DictReader(told.splitlines()) if line["metric"] == metric and line["kind"] == kind]
    named = {" × ".join(filter(None, (line["encoder"], line["cond"]))) or line["method"]: line for line in found}
    return {name: line for name, line in named.items() if line["verdict"]}


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


def name_primary(table: Path, metric: str, *, of: str = "") -> None:
    """In the records of runs whose ids start with ``of``; the others name none."""
    runs = {r.run_id for r in rows.read(table)}
    named = {run_id: {"spec": {"metrics": {"primary": metric if run_id.startswith(of) else None}}} for run_id in runs}
    (table.parent / "t.specs.json").write_text(json.dumps(named))


def test_a_metric_that_was_named_as_primary_is_adjusted_by_itself_and_the_others_together(
    benchmark: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(benchmark), "--baseline", "encoder=unet,cond=concat"]

    def adjusted() -> tuple[str, dict[str, dict[str, str]]]:
        assert run(monkeypatch, *arguments) == 0
        told = capsys.readouterr().out
        assert run(monkeypatch, *arguments, "--format", "csv") == 0
        return told, differences(capsys.readouterr().out, "fid")

    alone, each = adjusted()
    assert "as none was named as primary" in alone
    assert "primary, named" not in alone
    name_primary(benchmark, "fid")
    told, of_primary = adjusted()
    assert "fid (to compare with the truth; primary, named beforehand): less unet × concat" in told
    assert "fid is primary, named beforehand: its p (Holm) is adjusted for the lines of its own tables" in told
    assert of_primary == each
    name_primary(benchmark, "psnr")
    together = adjusted()[1]
    assert [together["arcface × concat"][name] == each["arcface × concat"][name] for name in ("p", "low")] == [True] * 2


def test_p_of_other_metrics_counts_with_those_that_are_not_shown(
    benchmark: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    twins = [replace(r, metric="fid2", value=r.value) for r in rows.read(benchmark) if r.metric == "fid"]
    rows.write(benchmark, [*rows.read(benchmark), *twins])
    name_primary(benchmark, "psnr")
    arguments = [str(benchmark), "--baseline", "encoder=unet,cond=concat", "--format", "csv"]
    found = []
    for more in ([], ["--metric", "fid"]):
        assert run(monkeypatch, *arguments, *more) == 0
        told = capsys.readouterr().out
        assert ("fid2" in told) == (not more)
        found.append(differences(told, "fid"))
    assert found[0] == found[1]
    line = found[0]["none × concat"]
    assert float(line["p_holm"]) == 1 or float(line["p_holm"]) >= 2 * float(line["p"])


@pytest.mark.parametrize("missing", [False, True])
def test_runs_that_name_different_metrics_as_primary_have_none_and_that_is_told(
    benchmark: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], missing: bool
) -> None:
    name_primary(benchmark, "psnr", of="arcface")
    if missing:  # a run without a record may have named anything
        name_primary(benchmark, "psnr")
        records = json.loads((benchmark.parent / "t.specs.json").read_text())
        (benchmark.parent / "t.specs.json").write_text(json.dumps({k: v for k, v in records.items() if k != "g"}))
    assert run(monkeypatch, str(benchmark), "--baseline", "encoder=unet,cond=concat") == 0
    told = capsys.readouterr().out
    none = "none in run g, psnr in 18 runs" if missing else "none in 13 runs"
    assert f"note: runs do not name the same metric as primary ({none}" in told
    assert "as none was named as primary" in told
