"""What a claim rests on, worked out by hand: errors, degrees of freedom, intervals, p values, verdicts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from support.tables import frame, scored
from zoo.benchmark.analysis import comparisons
from zoo.benchmark.analysis.comparisons import Comparison, Line, Part, Scores, adjust, differences
from zoo.benchmark.analysis.contrasts import Additive, Contrast, paired
from zoo.benchmark.analysis.interaction import interaction
from zoo.benchmark.analysis.intervals import estimate
from zoo.benchmark.tables.cells import Cell, seeded

ENCODERS, CONDS, SEEDS, IMAGES = ("none", "unet", "hog"), ("concat", "film"), (0, 1, 2), 400
BASE = Cell("diffusion", "none", "concat")

# seeds alone: Student's t


@pytest.mark.parametrize("value", [-1.3, 1.3])
def test_without_images_the_interval_and_p_are_student_s(value: float) -> None:
    (found,) = estimate([Contrast(np.array([1.0]), se=0.5, df=3, seeds=4)], np.array([value]))
    half = stats.t.ppf(0.975, 3) * 0.5
    assert (found.low, found.high) == pytest.approx((value - half, value + half))
    assert found.p == pytest.approx(2 * stats.t.sf(1.3 / 0.5, 3))
    assert found.images == 0


def test_paired_seeds_have_the_error_of_a_paired_t_test() -> None:
    y = np.array([1.0, 2.0, 4.5, 0.5, 1.0, 2.0])
    found = paired(np.array([0, 1, 2, -1, -1, -1]), np.array([-1, -1, -1, 0, 1, 2]), y)
    assert found is not None
    textbook = stats.ttest_rel(y[:3], y[3:])
    (result,) = estimate([found], y)
    assert (found.df, found.seeds) == (2, 3)
    assert result.value == pytest.approx((y[:3] - y[3:]).mean())
    assert result.p == pytest.approx(textbook.pvalue)
    assert (result.low, result.high) == pytest.approx(textbook.confidence_interval(0.95))


def test_only_seeds_that_both_have_are_paired() -> None:
    y = np.array([1.0, 2.0, 9.0, 0.5, 1.0, 7.0])
    found = paired(np.array([0, 1, 2, -1, -1, -1]), np.array([-1, -1, -1, 0, 1, 3]), y)
    assert found is not None
    assert found.seeds == 2
    assert found.weights @ y == pytest.approx(0.75)


def test_an_average_of_cells_is_surer_than_one() -> None:
    cell, seed = np.repeat(np.arange(4), 3), np.tile(np.arange(3), 4)
    y = np.random.default_rng(0).normal(size=12)
    model = Additive(cell, seed, y)
    one, mean = model.contrast(np.array([1, -1, 0, 0.0])), model.contrast(np.array([0.5, -0.5, 0.5, -0.5]))
    assert one is not None
    assert mean is not None
    assert one.se == pytest.approx(np.sqrt(model.variances[:2].sum() / 3))
    assert mean.se == pytest.approx(np.sqrt(model.variances.sum() / 4 / 3))
    assert model.df == 6


# images alone, and both


def test_images_alone_have_the_interval_of_their_mean() -> None:
    differences = np.random.default_rng(0).normal(0.1, 1, size=(1, 2000))
    (found,) = estimate([Contrast(np.array([1.0]), se=0.0, df=np.inf, seeds=1)], differences.mean(axis=1), differences)
    error = differences.std() / np.sqrt(2000)
    assert found.value == pytest.approx(differences.mean())
    assert found.value - found.low == pytest.approx(1.96 * error, rel=0.01)
    assert found.high - found.value == pytest.approx(1.96 * error, rel=0.01)
    assert found.p == pytest.approx(2 * stats.norm.sf(abs(found.value) / error), rel=0.02)
    assert found.images == 2000


@pytest.mark.parametrize("df", [2, 5])
def test_where_seeds_prevail_the_interval_is_student_s(df: int) -> None:
    differences = 1 + 1e-3 * np.random.default_rng(0).normal(size=(1, 100))
    (found,) = estimate([Contrast(np.array([1.0]), se=0.5, df=df, seeds=df + 1)], np.ones(1), differences)
    assert found.high - found.low == pytest.approx(2 * stats.t.ppf(0.975, df) * 0.5, rel=0.06)
    assert found.p == pytest.approx(2 * stats.t.sf(1 / 0.5, df), rel=0.1)


# interactions


def test_the_f_test_of_an_interaction_is_that_of_the_textbook() -> None:
    rng = np.random.default_rng(1)
    y = rng.normal(size=(3, 2, 4))  # encoder, cond, seed
    encoder, cond, seed = (x.ravel() for x in np.indices(y.shape))
    f, between, within, _ = interaction(encoder, cond, seed, y.ravel())
    cells = y.mean(axis=2)
    apart = cells - cells.mean(axis=0) - cells.mean(axis=1, keepdims=True) + cells.mean()
    left = y - y.mean(axis=2, keepdims=True) - y.mean(axis=(0, 1)) + y.mean()
    expected = (4 * (apart**2).sum() / 2) / ((left**2).sum() / 15)
    assert f == pytest.approx(expected, rel=0.1)  # but for variances of their own
    assert 1 <= between <= 2
    assert 3 <= within <= 15


# verdicts


def table(effect: Callable[[str, str], float], *, noise: float = 0.05, **changes: Any) -> tuple[pd.DataFrame, Any]:
    """A benchmark, where ``effect(encoder, cond)`` is added to what seeds and images give; and values per image."""
    rng = np.random.default_rng(0)
    of_image, of_seed = rng.normal(size=IMAGES), rng.normal(size=len(SEEDS))
    some, values = [], {}
    for encoder in ENCODERS:
        for cond in CONDS:
            for seed in SEEDS:
                run_id = f"{encoder}-{cond}-{seed}"
                each = of_image + of_seed[seed] + effect(encoder, cond) + noise * rng.normal(size=IMAGES)
                some.append(scored(run_id, float(each.mean()), encoder=encoder, cond=cond, seed=seed, **changes))
                values |= {(run_id, f"{i:03d}"): value for i, value in enumerate(each)}
    per_image = pd.Series(values, name="error").rename_axis(["run_id", "image"]).to_frame()
    return frame(*some), per_image


def parts(comparison: Comparison) -> list[Part]:
    """Differences to `BASE` and main effects, with verdicts."""
    found = differences(comparison, BASE, ("encoder", "cond"))
    return adjust({"error": found}, {"error": comparison.scores.higher_is_better}, "")["error"].parts


def compared(
    effect: Callable[[str, str], float], **changes: Any
) -> tuple[Comparison, Callable[[Cell], Line], list[Line]]:
    """Of `table`: the comparison, the line of a cell against the baseline, and main effects of encoders."""
    rows, per_image = table(effect, **changes)
    comparison = Comparison(Scores.of(rows, "error", per_image))
    to_base, encoders, _ = parts(comparison)
    lines = {line.name: line for line in to_base.lines}
    return comparison, lambda cell: lines[str(cell)], encoders.lines


def unet_is(effect: float) -> Callable[[str, str], float]:
    return lambda encoder, cond: effect * (encoder == "unet")


@pytest.mark.parametrize(
    ("effect", "higher_is_better", "verdict"),
    [
        (1.0, False, "worse"),
        (-1.0, False, "better"),
        (1.0, True, "better"),
        (-1.0, True, "worse"),
        (1.0, None, "different"),
        (0.0, False, "undecided"),
    ],
)
def test_the_verdict_is_in_the_sense_of_the_metric(effect: float, higher_is_better: bool | None, verdict: str) -> None:
    _, line, mains = compared(unet_is(effect), higher_is_better=higher_is_better)
    assert line(Cell("diffusion", "unet", "concat")).verdict == verdict
    assert {main.name: main.verdict for main in mains} == {"unet": verdict, "hog": "undecided"}


def test_a_difference_is_the_cell_less_the_baseline() -> None:
    _, line, _ = compared(unet_is(0.5))
    found = line(Cell("diffusion", "unet", "film")).result
    assert found is not None
    assert found.value == pytest.approx(0.5, abs=0.02)
    assert (found.seeds, found.images) == (3, IMAGES)


def test_a_main_effect_is_the_mean_over_the_other_axis() -> None:
    def effect(encoder: str, cond: str) -> float:
        return (encoder == "unet") * (0.2 if cond == "concat" else 0.8)

    _, _, mains = compared(effect)
    found = {main.name: main.result for main in mains}
    assert found["unet"] is not None
    assert found["unet"].value == pytest.approx(0.5, abs=0.02)


def test_a_verdict_rests_on_the_adjusted_p_and_not_on_the_raw_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparisons, "holm", lambda p: [1.0 for _ in p])
    _, line, _ = compared(unet_is(1.0))
    found = line(Cell("diffusion", "unet", "concat"))
    assert found.result is not None
    assert found.result.p < 0.01
    assert found.verdict == "undecided"


@pytest.mark.parametrize(("adjusted", "verdict"), [(0.049, "better"), (0.05, "undecided"), (0.051, "undecided")])
def test_a_claim_takes_a_p_below_five_percent(monkeypatch: pytest.MonkeyPatch, adjusted: float, verdict: str) -> None:
    monkeypatch.setattr(comparisons, "holm", lambda p: [adjusted for _ in p])
    _, line, _ = compared(unet_is(-1.0))
    assert line(Cell("diffusion", "unet", "concat")).verdict == verdict


def test_each_run_has_its_own_values_per_image() -> None:
    rows, per_image = table(unet_is(0.5))
    scores = Scores.of(rows.sample(frac=1, random_state=0), "error", per_image.sample(frac=1, random_state=1))
    assert scores.images is not None
    np.testing.assert_allclose(scores.images.mean(axis=1), scores.y)


@pytest.mark.parametrize("seeds", [[0], [0, 1, 2]])
def test_one_seed_decides_nothing(seeds: list[int]) -> None:
    rows, per_image = table(unet_is(-1.0))
    comparison = Comparison(Scores.of(rows[rows["seed"].isin(seeds)], "error", per_image))
    line = next(line for line in parts(comparison)[0].lines if line.name == "unet × concat")
    assert (line.verdict, line.doubt) == (("better", "") if len(seeds) > 1 else ("undecided", comparisons.ONE_SEED))


@pytest.mark.parametrize("missing", [0, 1])
def test_a_table_is_complete_where_every_pair_has_a_value(missing: int) -> None:
    rows, per_image = table(unet_is(0.0))
    left = rows[~((rows["encoder"] == "hog") & (rows["cond"] == "film"))] if missing else rows
    assert Comparison(Scores.of(left, "error", per_image)).complete == (not missing)


@pytest.mark.parametrize(
    "method", ["grey", "mean", "truth", "other", "folder(A b)", "regression", "origin", "unheard of"]
)
def test_what_draws_nothing_is_known(method: str) -> None:
    assert seeded(method) == (method in ("regression", "origin", "unheard of"))
