"""Figures show what the tables say: each cell where it lies, in its words, the same file each time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support.tables import scored, study
from zoo.benchmark.analysis.study import Study
from zoo.benchmark.figures import figure, marks, points
from zoo.errors import ZooError

pytest.importorskip("matplotlib")

from zoo.benchmark.figures import budget, differences, matrix, tradeoff

ENCODERS, CONDS = ("none", "unet"), ("concat", "xattn")


def rows(*metrics: str, **changes: Any) -> list[Any]:
    """Four pairs of two seeds, and baselines; a metric of index i has values of about 10^i."""
    found = []
    for i, metric in enumerate(metrics):
        for place, (encoder, cond) in enumerate((e, c) for e in ENCODERS for c in CONDS):
            for seed in (0, 1):
                named = {"encoder": encoder, "cond": cond, "seed": seed, "metric": metric}
                value = 10**i * (1 + 0.2 * place + 0.01 * seed)
                found.append(scored(f"{encoder}{cond}{seed}", value, **{**named, **changes}))
        for method, value in (("grey", 40.0), ("truth", 0.9)):
            baseline = {"encoder": "", "cond": "", "method": method, "images_seen": 0, "train_seconds": 0.0}
            found.append(scored(method, 10**i * value, metric=metric, **baseline))
    return found


def of(*metrics: str, **given: Any) -> Study:
    return study(*rows(*metrics), **given)


def texts(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.texts]


def marked(axes: Any) -> set[tuple[float, float]]:
    """Where single points are."""
    lines = [line for line in axes.lines if len(line.get_xdata()) == 1]
    return {(round(float(line.get_xdata()[0]), 6), round(float(line.get_ydata()[0]), 6)) for line in lines}


def curves_of(axes: Any) -> list[list[float]]:
    return [[float(x) for x in line.get_xdata()] for line in axes.lines if len(line.get_xdata()) > 2]


def test_the_matrix_has_each_pair_at_its_place_and_marks_the_best() -> None:
    noisy = [replace(row, value=1.62) if row.value == 1.61 else row for row in rows("error")]  # or none is decided
    drawn = matrix.figure(study(*noisy), [])
    axes = drawn.axes[0]
    np.testing.assert_allclose(axes.images[0].get_array(), [[1.005, 1.205], [1.405, 1.61]])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["none", "unet"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["concat", "xattn"]
    assert texts(axes) == ["1.0050★\n± 0.0071", "1.2050\n± 0.0071", "1.4050\n± 0.0071", "1.610\n± 0.014"]
    assert drawn._supxlabel.get_text() == "error: grey 40.00, truth 0.9000"


def test_a_panel_for_each_metric_that_was_asked_for() -> None:
    drawn = matrix.figure(of("error", "other", "third"), ["other", "error"])
    assert [axes.get_title() for axes in drawn.axes if axes.get_title()] == ["other ↓", "error ↓"]


def test_differences_have_intervals_and_colors_of_their_verdicts_and_arrows_to_what_is_far_away() -> None:
    found = of("error", baseline="encoder=none,cond=concat")
    (axes,) = differences.figure(found, []).axes
    known = {line.name: line for line in found.differences["error"].parts[0].lines}
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == list(known)
    dots = {names[int(line.get_ydata()[0])]: line for line in axes.lines if line.get_marker() == "o"}
    assert set(dots) == set(known) - {"grey"}
    for name, dot in dots.items():
        assert dot.get_xdata()[0] == known[name].result.value  # type: ignore[union-attr]
        filled = known[name].verdict != "undecided"
        assert (dot.get_markerfacecolor() != "white") == filled
        assert dot.get_color() == differences._INKS[known[name].verdict]
    assert {known[name].verdict for name in dots} == {"better", "undecided"}
    (arrow,) = (line for line in axes.lines if line.get_marker() == ">")
    assert names[int(arrow.get_ydata()[0])] == "grey"
    assert "+38.99" in texts(axes)


def test_differences_need_something_to_differ_from() -> None:
    with pytest.raises(ZooError, match="give --baseline"):
        differences.figure(of("error"), [])


def test_a_tradeoff_sets_the_distance_of_sets_over_the_paired_score() -> None:
    near, far = tradeoff.figure(of("psnr", "fd_st_lpips", "third"), []).axes
    pairs = {(round(1.005 + 0.2 * i, 6), round(10 * (1.005 + 0.2 * i), 6)) for i in range(4)}
    assert marked(near) == pairs | {(0.9, 9.0)}  # grey is far away
    assert marked(far) == pairs | {(0.9, 9.0), (40.0, 400.0)}
    assert (near.get_xscale(), far.get_xscale(), far.get_yscale()) == ("linear", "log", "log")
    far.figure.draw_without_rendering()
    assert "100" in [label.get_text() for label in far.get_yticklabels()]  # no power of ten
    assert (near.get_xlabel(), near.get_ylabel()) == ("distortion: psnr ↓", "perception: fd_st_lpips ↓")
    assert texts(near) == ["truth"]


def test_a_tradeoff_without_baselines_is_one_panel() -> None:
    pairs = [row for row in rows("psnr", "fd_st_lpips") if row.method == "diffusion"]
    (axes,) = tradeoff.figure(study(*pairs), []).axes
    assert len(marked(axes)) == 4


def test_ticks_of_a_short_logarithmic_axis_stand_apart() -> None:
    drawn = tradeoff.figure(of("psnr", "fd_st_lpips"), [])
    far = drawn.axes[1]
    for ends in ((0.066, 0.083), (0.03, 0.085)):
        points._plain_ticks(far.xaxis, ends)
        far.set_xlim(*ends)
        inside = [tick for tick in far.get_xticks() if ends[0] <= tick <= ends[1]]
        assert 2 <= len(inside) <= 5


@pytest.mark.parametrize(
    ("wanted", "of_sets", "paired"),
    [([], "fd_st_lpips", "st_lpips"), (["kid"], "kid", "st_lpips"), (["psnr", "fid"], "fid", "psnr")],
)
def test_a_tradeoff_takes_what_was_asked_for(wanted: list[str], of_sets: str, paired: str) -> None:
    names = ["psnr", "kid", "fid", "fd_st_lpips", "st_lpips"]
    assert tradeoff.first(names, wanted, tradeoff._OF_SETS) == of_sets
    assert tradeoff.first(names, wanted, tradeoff._PAIRED) == paired


def test_a_tradeoff_needs_both_kinds() -> None:
    with pytest.raises(ZooError, match="takes a distance of sets"):
        tradeoff.figure(of("psnr"), [])


def along(axis: str, values: Mapping[Any, float]) -> Study:
    """Two encoders, at each value of a column of the rows."""
    found = []
    for metric in ("psnr", "fid"):
        for encoder in ENCODERS:
            for value, score in values.items():
                named = {"encoder": encoder, "metric": metric, axis: value}
                found.append(scored(f"{encoder}{value}", score + (encoder == "unet"), **named))
    return study(*found, cols=axis)


def test_pairs_that_differ_in_a_number_are_joined_in_its_order() -> None:
    (near,) = tradeoff.figure(along("params", {10: 3.0, 2: 1.0, 100: 2.0}), []).axes
    assert curves_of(near) == [[1.0, 3.0, 2.0], [2.0, 4.0, 3.0]]
    assert [text for text in texts(near) if text.isdigit()] == ["2", "100", "2", "100"]


def test_pairs_that_differ_in_a_name_are_not_joined() -> None:
    near, _ = tradeoff.figure(of("psnr", "fid"), []).axes
    assert curves_of(near) == []


def test_a_budget_is_what_was_seen_and_how_long_it_took_all_in_all() -> None:
    found = along("images_seen", {640: 3.0, 6400: 2.0})
    found.table["pretrain_seconds"] = 5.0
    for line in found.lines:
        seen = line.costs["images_seen"]
        line.costs.update(train_seconds=seen / 100, feature_seconds=float("nan"), pretrain_seconds=5.0)
    seen, took = budget.figure(found, []).axes
    assert marked(seen) == {(640.0, 3.0), (6400.0, 2.0), (640.0, 4.0), (6400.0, 3.0)}
    assert {x for x, _ in marked(took)} == {6.4 + 5, 64 + 5}
    assert (seen.get_xlabel(), seen.get_xscale()) == ("images seen (logarithmic)", "log")


def test_a_budget_that_all_share_has_no_panel() -> None:
    (axes,) = budget.figure(of("error"), []).axes
    assert axes.get_xlabel().startswith("seconds")


def test_nothing_that_trains_has_no_budget() -> None:
    only = [row for row in rows("error") if row.method != "diffusion"]
    with pytest.raises(ZooError, match="nothing in the table trains"):
        budget.figure(study(*only), [])
    with pytest.raises(ZooError, match="baselines alone"):
        matrix.figure(study(*only), [])


def test_holes_leave_nothing_to_draw() -> None:
    hole = study(scored("a", None, note="no weights"))
    for kind in (matrix, budget):
        with pytest.raises(ZooError, match="nothing to draw"):
            kind.figure(hole, [])


@pytest.mark.parametrize(
    ("others", "ends"),
    [([], (0, 1)), ([2.0], (0, 2)), ([-2.0], (-2, 1)), ([3.1], (0, 1)), ([2.5, -1.0], (-1, 1)), ([2.9, 30], (0, 2.9))],
)
def test_others_stretch_an_axis_but_squeeze_nothing_together(others: list[float], ends: tuple[float, float]) -> None:
    low, high = marks.bounds([0.0, 1.0], others)
    air = 0.08 * (ends[1] - ends[0])
    assert (low, high) == pytest.approx((ends[0] - air, ends[1] + air))


def test_what_is_outside_along_one_axis_stretches_the_other_no_more() -> None:
    core = [points.Place(0, 0), points.Place(1, 1)]
    assert points.frame(core, [points.Place(2, 50)], "") == points.frame(core, [], "")


@pytest.mark.parametrize("suffix", [".svg", ".pdf", ".png"])
def test_a_figure_is_the_same_file_each_time(suffix: str, tmp_path: Path) -> None:
    found = of("psnr", "fid")
    once, again = (tmp_path / f"{name}{suffix}" for name in "ab")
    for path in (once, again):
        figure.draw(found, "tradeoff", path, [])
    assert once.read_bytes() == again.read_bytes()
    assert len(once.read_bytes()) > 2000


def test_the_words_of_an_svg_are_words(tmp_path: Path) -> None:
    figure.draw(of("psnr", "fid"), "tradeoff", tmp_path / "f.svg", [])
    assert "perception: fid" in (tmp_path / "f.svg").read_text()


@pytest.mark.parametrize("kind", figure.KINDS)
def test_every_kind_is_drawn_by_the_command(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from zoo.benchmark.tables import rows as tables
    from zoo.commands import main

    tables.write(tmp_path / "t.csv", rows("psnr", "fid"))
    given = [str(tmp_path / "t.csv"), "--baseline", "encoder=none,cond=concat", "--figure", kind]
    assert main(["compare", *given]) == 2
    assert "give --out FILE.pdf, .png or .svg" in capsys.readouterr().err
    assert main(["compare", *given, "--out", str(tmp_path / "f.txt")]) == 2
    out = tmp_path / "f.PDF"
    assert main(["compare", *given, "--out", str(out)]) == 0
    assert out.read_bytes().startswith(b"%PDF")
    assert main(["compare", *given, "--out", str(out)]) == 2
    assert "is not overwritten" in capsys.readouterr().err


def test_without_matplotlib_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = figure.import_module

    def absent(name: str) -> Any:
        if name == "matplotlib":
            raise ModuleNotFoundError("No module named 'matplotlib'", name="matplotlib")
        return real(name)

    monkeypatch.setattr(figure, "import_module", absent)
    with pytest.raises(ZooError, match="pip install matplotlib"):
        figure.check("matrix", Path("f.pdf"))
