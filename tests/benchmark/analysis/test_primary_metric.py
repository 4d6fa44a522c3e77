"""A metric that was named as primary is judged by itself."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from support.comparing import differences, run
from zoo.benchmark.tables import rows


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
