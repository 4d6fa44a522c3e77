"""Tables of encoder × conditioner, and what may not be put into one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import cli, compare, rows
from tests.test_rows import row


def table_of(tmp_path: Path, *some: rows.Row) -> str:
    path = tmp_path / "t.csv"
    rows.write(path, some)
    return str(path)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["compare.py", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.run(compare.main)
    return int(ended.value.code or 0)


def scores(tmp_path: Path, *some: rows.Row) -> tuple[list[list[str]], list[str]]:
    body, notes = compare.scores(compare.load([table_of(tmp_path, *some)]), "psnr")
    return [[cell.strip() for cell in line] for line in body], notes


@pytest.mark.parametrize(("higher", "best"), [(True, "facenet"), (False, "arcface")])
def test_the_best_is_marked_in_the_sense_of_the_metric(tmp_path: Path, higher: bool, best: str) -> None:
    body, _ = scores(
        tmp_path,
        row("a", value=1.0, encoder="arcface", higher_is_better=higher),
        row("b", value=2.0, encoder="facenet", higher_is_better=higher),
    )
    assert [line[0] for line in body[1:] if line[1].endswith("*")] == [best]


def test_nothing_is_best_where_neither_way_is_better(tmp_path: Path) -> None:
    body, _ = scores(tmp_path, row("a", higher_is_better=None), row("b", encoder="unet", higher_is_better=None))
    assert "*" not in str(body)


def test_seeds_are_averaged_and_their_spread_and_number_told(tmp_path: Path) -> None:
    body, _ = scores(tmp_path, *(row(str(seed), value=float(seed), seed=seed) for seed in range(3)))
    assert body[1][1] == "1.000 ± 1.000 (n=3) *"


def test_a_hole_shows_as_a_hole_with_its_reason_and_what_never_ran_as_nothing(tmp_path: Path) -> None:
    body, notes = scores(
        tmp_path, row("a", value=None, note="no weights"), row("b", encoder="unet", cond="film", value=1.0)
    )
    assert body == [["encoder", "none", "film"], ["none", "– [1]", ""], ["unet", "", "1.000 *"]]
    assert notes == ["no weights"]


def test_protocols_are_not_mixed_unless_forced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = table_of(tmp_path, row("a"), row("b", encoder="unet", protocol_id="q"))
    assert run(monkeypatch, path) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == 1
    assert "p: runs a; q: runs b" in told.err
    assert run(monkeypatch, path, "--force") == 0
    assert "protocol p, q" in capsys.readouterr().out


def test_runs_that_differ_in_more_than_their_seed_are_not_averaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = table_of(tmp_path, row("a", images_seen=64), row("b", images_seen=128))
    assert run(monkeypatch, path) == 2
    assert "none × none has 2 different runs with seed 0: a, b" in capsys.readouterr().err


def test_costs_stand_beside_the_scores(tmp_path: Path) -> None:
    body = compare.costs(compare.load([table_of(tmp_path, row("a", params=2_500_000), row("a", "fid"))]))
    assert body[1][:3] == ["none", "none", "2,500,000"]
    assert len(body) == 2


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
    assert "1.500 *" in text
