"""One table out of those of many workers, with what lies beside them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pandas as pd
import pytest

from support.rows import row
from zoo.benchmark.tables import rows, table_files
from zoo.commands import main


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    return main(list(map(str, arguments)), command="merge")


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Three run folders; the last is of another protocol and has no values per image."""
    for name, values in (("a", [1.0, 2.0]), ("b", [3.0, float("nan")]), ("c", None)):
        folder = tmp_path / "runs" / name
        rows.write(folder / "rows.csv", [row(name, value=1.5, protocol_id="q" if name == "c" else "p")])
        (folder / "protocol.json").write_text(json.dumps({"steps": 20 if name == "c" else 10}))
        if values:
            table = pd.DataFrame({"image": ["0/ann.jpg", "1/bob.jpg"], "psnr": values})
            table.to_parquet(folder / "per_image.parquet", index=False)
    return tmp_path / "runs"


def test_run_folders_become_one_table_with_protocols_and_values_per_image(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out" / "all.csv"
    assert run(monkeypatch, runs / "*" / "rows.csv", "--out", out, "--per-image", "--runs", tmp_path / "none") == 0
    assert [r.run_id for r in rows.read(out)] == ["a", "b", "c"]
    assert json.loads((tmp_path / "out/all.protocols.json").read_text()) == {"p": {"steps": 10}, "q": {"steps": 20}}
    values = pd.read_parquet(tmp_path / "out/all.per_image.parquet")
    assert values["psnr"].dtype == "float32"
    assert values.fillna(-1.0).to_numpy().tolist() == [
        ["a", "0/ann.jpg", 1.0],
        ["a", "1/bob.jpg", 2.0],
        ["b", "0/ann.jpg", 3.0],
        ["b", "1/bob.jpg", -1.0],
    ]
    assert "values per image of 2 of 3 runs" in capsys.readouterr().out


def test_values_beside_tables_and_in_run_folders_are_found_and_merged_again(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, both = tmp_path / "1.csv", tmp_path / "2.csv", tmp_path / "both.csv"
    assert run(monkeypatch, runs / "a" / "rows.csv", "--out", first, "--per-image") == 0
    rows.write(second, [row("b")])
    assert run(monkeypatch, first, second, "--out", both, "--per-image", "--runs", runs) == 0
    values = table_files.per_image([both], tmp_path / "none", ["a", "b", "z"], ["psnr", "ssim"])
    assert values.loc["a", "psnr"].tolist() == [1.0, 2.0]
    assert values.loc[("b", "0/ann.jpg"), "psnr"] == 3.0
    assert values["psnr"].dtype == "float64"
    assert set(values.index.get_level_values("run_id")) == {"a", "b"}


def test_only_the_metrics_that_are_asked_for_are_read(runs: Path) -> None:
    path = runs / "a" / "per_image.parquet"
    pd.read_parquet(path).assign(ssim=0.5).to_parquet(path, index=False)
    assert list(table_files.per_image([], runs, ["a"], ["ssim", "fid"])) == ["ssim"]
    assert list(table_files.per_image([], runs, ["a"])) == ["psnr", "ssim"]
    assert table_files.per_image([], runs, ["z"], ["ssim"]).empty


def test_names_of_images_may_be_hashed(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "all.csv"
    assert run(monkeypatch, runs / "*" / "rows.csv", "--out", out, "--per-image", "--hash-names") == 0
    names = list(pd.read_parquet(tmp_path / "all.per_image.parquet")["image"])
    assert names[:2] == names[2:]
    assert len(set(names)) == 2
    for guess in ("0/ann.jpg", "ann.jpg"):  # whoever has a list of names could hash them all
        assert hashlib.sha256(guess.encode()).hexdigest()[:12] not in names
        assert hashlib.blake2b(guess.encode(), digest_size=6).hexdigest() not in names
    assert "ann" not in (tmp_path / "all.per_image.parquet").read_bytes().decode("latin-1")


@pytest.mark.parametrize("there", ["all.csv", "all.protocols.json", "all.per_image.parquet"])
def test_nothing_is_overwritten(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], there: str
) -> None:
    (tmp_path / there).write_text("mine")
    assert run(monkeypatch, runs / "*" / "rows.csv", "--out", tmp_path / "all.csv", "--per-image") == 2
    assert f"{there} exists and is not overwritten" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.glob("all*")) == [there]
    assert (tmp_path / there).read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{runs}/a/rows.csv", "{runs}/other.csv"], "value is 1.5 in {runs}/a/rows.csv and 2.5 in {runs}/other.csv"),
        (["{runs}/missing.csv"], "missing.csv does not exist"),
        (["{runs}/a/rows.csv", "--hash-names"], "give both"),
        (["{runs}/c/rows.csv", "--per-image"], "no run has values per image"),
    ],
)
def test_errors_are_one_line_and_leave_nothing(
    runs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    rows.write(runs / "other.csv", [row("a", value=2.5)])
    assert run(monkeypatch, *(a.format(runs=runs) for a in arguments), "--out", tmp_path / "all.csv") == 2
    told = capsys.readouterr().err
    assert said.format(runs=runs) in told
    assert len(told.splitlines()) == 1
    assert list(tmp_path.glob("all*")) == []


def test_hashed_names_differ_from_one_merge_to_the_next(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their key is drawn anew and kept nowhere."""
    names = []
    for out in ("one", "two"):
        given = (runs / "a" / "rows.csv", "--out", tmp_path / f"{out}.csv", "--per-image", "--hash-names")
        assert run(monkeypatch, *given) == 0
        names.append(set(pd.read_parquet(tmp_path / f"{out}.per_image.parquet")["image"]))
    assert not names[0] & names[1]


def test_runs_whose_photos_cannot_be_paired_are_told_of(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A table that hid its names, and runs that came later."""
    hidden = tmp_path / "hidden.csv"
    assert run(monkeypatch, runs / "a" / "rows.csv", "--out", hidden, "--per-image", "--hash-names") == 0
    assert run(monkeypatch, runs / "*" / "rows.csv", "--out", tmp_path / "named.csv", "--per-image") == 0
    assert "in common" not in capsys.readouterr().out
    late = (hidden, runs / "b" / "rows.csv", "--out", tmp_path / "all.csv", "--per-image")
    assert run(monkeypatch, *late, "--runs", tmp_path / "none") == 0
    assert "runs of protocol p have no image in common" in capsys.readouterr().out


def test_the_order_of_hashed_names_tells_none_of_them(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has a list of names could lay it beside the hashes if these stood in its order."""
    names = [f"{i:03}.jpg" for i in range(100)]
    pd.DataFrame({"image": names, "psnr": range(100)}).to_parquet(runs / "a" / "per_image.parquet", index=False)
    given = (runs / "a" / "rows.csv", "--out", tmp_path / "all.csv", "--per-image", "--hash-names")
    assert run(monkeypatch, *given) == 0
    found = pd.read_parquet(tmp_path / "all.per_image.parquet")
    assert list(found["image"]) == sorted(found["image"])
    assert set(found["psnr"]) == set(range(100))
    assert sum(value == place for place, value in enumerate(found["psnr"])) < 10


def test_what_runs_were_told_goes_along(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (runs / "a" / "record.json").write_text(json.dumps({"spec": {"train": {"lr": 0.001}}}))
    assert run(monkeypatch, runs / "*" / "rows.csv", "--out", tmp_path / "all.csv", "--runs", runs) == 0
    assert json.loads((tmp_path / "all.specs.json").read_text()) == {"a": {"spec": {"train": {"lr": 0.001}}}}
