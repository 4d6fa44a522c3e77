"""What stands in a table of cells, worked out by hand."""

from __future__ import annotations

import pytest

from support.tables import frame, scored, study
from zoo.benchmark.analysis import scores, text
from zoo.benchmark.analysis.scores import Metric
from zoo.benchmark.tables import cells


def matrix(*values: float, higher_is_better: bool | None = False) -> str:
    """The one cell of a table of runs with these scores."""
    runs = [scored(f"r{i}", value, seed=i, higher_is_better=higher_is_better) for i, value in enumerate(values)]
    metric = Metric("error", higher_is_better)
    body, _, _ = text.scores(scores.lines(frame(*runs), {metric.name: None}), metric, "encoder")
    return body[1][1].replace("*", "").strip()


def test_a_cell_is_the_mean_of_its_runs_with_their_sample_deviation_and_number() -> None:
    assert matrix(1.0, 2.0, 6.0) == "3.0 ± 2.6 (n=3)"


def test_a_cell_of_one_run_has_no_spread() -> None:
    assert matrix(1.5) == "1.500"


@pytest.mark.parametrize("best", ["none", "unet", None])
def test_the_pair_that_is_best_is_marked_and_no_other(best: str | None) -> None:
    runs = [scored("a", 1.0), scored("b", 2.0, encoder="unet"), scored("c", 1.5, encoder="hog")]
    runs += [
        scored("g", 9.0, method="grey", encoder="", cond=""),
        scored("t", 0.1, method="truth", encoder="", cond=""),
    ]
    table = frame(*runs)
    marked = next((cell for cell in cells.of(table) if cell.row == best), None)
    lines = scores.lines(table, {"error": marked})
    assert [line.cell.row for line in lines if line.scores["error"].best] == ([best] if best else [])


def test_costs_are_means_over_runs_however_many_scores_they_have() -> None:
    one = [scored("a", metric=name, train_seconds=10.0) for name in ("x", "y", "z")]
    other = [scored("b", metric="x", seed=1, train_seconds=20.0)]
    head, line = text.costs(study(*one, *other))
    assert float(line[head.index("training s")]) == pytest.approx(15)
    assert float(line[head.index("parameters")]) == 10


def test_the_control_comes_first_and_baselines_last() -> None:
    pairs = [("diffusion", "unet", "film"), ("grey", "", ""), ("diffusion", "none", "none"), ("truth", "", "")]
    found = cells.in_order(cells.Cell(*pair) for pair in pairs)
    assert [str(cell) for cell in found] == ["none × none", "unet × film", "grey", "truth"]
