"""Intervals and p values of differences between cells: they must hold what they promise where the truth is known."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from zoo.benchmark.analysis.contrasts import Additive, Contrast, paired
from zoo.benchmark.analysis.holm import holm
from zoo.benchmark.analysis.interaction import interaction
from zoo.benchmark.analysis.intervals import Estimate, estimate

CELLS, SEEDS, IMAGES = 12, 3, 200
CELL = np.repeat(np.arange(CELLS), SEEDS)
SEED = np.tile(np.arange(SEEDS), CELLS)


def crossed(
    generator: np.random.Generator, effects: np.ndarray, *, of_image: float = 0.3, of_rest: float = 1.0
) -> np.ndarray:
    """Values (R, N) per image of all runs: cell + seed + image + cell·seed + cell·image + rest, all but the first
    random."""
    seed = 0.5 * generator.normal(size=SEEDS)[SEED][:, None]
    image = 3.0 * generator.normal(size=IMAGES)
    cell_seed = 0.05 * generator.normal(size=len(CELL))[:, None]
    cell_image = of_image * generator.normal(size=(CELLS, IMAGES))[CELL]
    rest = of_rest * generator.normal(size=(len(CELL), IMAGES))
    return effects[CELL][:, None] + seed + image + cell_seed + cell_image + rest


def to_first(images: np.ndarray) -> list[Estimate]:
    """All other cells less the first."""
    y = images.mean(axis=1)
    model = Additive(CELL, SEED, y)
    contrasts = [model.contrast(np.eye(CELLS)[c] - np.eye(CELLS)[0]) for c in range(1, CELLS)]
    return estimate([c for c in contrasts if c is not None], y, images)


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    generator = np.random.default_rng(0)
    effects = np.linspace(0, 0.4, CELLS)
    inside = [
        one.low <= effects[c] <= one.high
        for _ in range(150)
        for c, one in enumerate(to_first(crossed(generator, effects)), 1)
    ]
    assert len(inside) == 150 * 11
    assert 0.92 <= np.mean(inside) <= 0.99


def test_where_no_cell_differs_a_table_rarely_claims_that_any_does() -> None:
    generator = np.random.default_rng(1)
    claims = [min(holm([one.p for one in to_first(crossed(generator, np.zeros(CELLS)))])) < 0.05 for _ in range(400)]
    assert np.mean(claims) <= 0.07


def test_a_real_effect_is_found_and_told_from_none() -> None:
    effects = np.zeros(CELLS)
    effects[5] = 1.0
    adjusted = holm([one.p for one in to_first(crossed(np.random.default_rng(2), effects))])
    assert adjusted[4] < 0.05
    assert min(adjusted[:4] + adjusted[5:]) > 0.05


def test_an_effect_much_smaller_than_images_differ_is_found_only_because_images_are_paired() -> None:
    effects = np.zeros(CELLS)
    effects[1:] = 0.4
    images = crossed(np.random.default_rng(3), effects)
    paired_p = to_first(images)[0].p
    shuffled = images.copy()
    shuffled[CELL == 0] = np.random.default_rng(0).permuted(images[CELL == 0], axis=1)
    assert paired_p < 0.02 < 0.1 < to_first(shuffled)[0].p


def test_an_effect_much_smaller_than_seeds_differ_is_found_only_because_seeds_are_paired() -> None:
    generator = np.random.default_rng(4)
    y = np.array([0.0, 10.0, 20.0])[SEED] + 0.1 * generator.normal(size=len(SEED)) + (CELL == 3)
    w = np.eye(CELLS)[3] - np.eye(CELLS)[0]
    blocked, unblocked = Additive(CELL, SEED, y).contrast(w), Additive(CELL, np.arange(len(y)) * 0, y).contrast(w)
    assert blocked is not None
    assert unblocked is not None
    assert estimate([blocked], y)[0].p < 0.01
    assert estimate([unblocked], y)[0].p > 0.5


def test_variances_of_cells_are_unbiased_where_cells_vary_unlike() -> None:
    generator, true = np.random.default_rng(5), np.array([1.0, 2.0, 1.5, 3.0])
    cell, seed = np.repeat(np.arange(4), 40), np.tile(np.arange(40), 4)
    found = []
    for _ in range(200):
        noise = np.sqrt(true)[cell] * generator.normal(size=160)
        found.append(Additive(cell, seed, 3 * generator.normal(size=40)[seed] + noise).variances)
    assert np.mean(found, axis=0) == pytest.approx(true, rel=0.15)


def test_a_noisy_cell_widens_its_own_interval_and_not_that_of_others() -> None:
    noise = 0.05 * np.random.default_rng(6).normal(size=len(CELL))
    noise[CELL == 3] *= 10
    model = Additive(CELL, SEED, SEED + noise)
    noisy, quiet = (model.contrast(np.eye(CELLS)[c] - np.eye(CELLS)[0]) for c in (3, 4))
    assert noisy is not None
    assert quiet is not None
    assert noisy.se > 3 * quiet.se
    assert 2 <= noisy.df < quiet.df + 1


def test_two_cells_alone_have_the_paired_t_test() -> None:
    y = np.array([1.0, 2.0, 4.5, 0.5, 1.0, 2.0])
    model = Additive(np.repeat([0, 1], 3), np.tile(np.arange(3), 2), y)
    found, by_hand = model.contrast(np.array([1.0, -1.0])), stats.ttest_rel(y[:3], y[3:])
    assert found is not None
    (one,) = estimate([found], y)
    assert found.df == pytest.approx(2)
    assert one.p == pytest.approx(by_hand.pvalue)
    assert (one.low, one.high) == pytest.approx(by_hand.confidence_interval(0.95))


def test_p_has_no_floor() -> None:
    images = crossed(np.random.default_rng(7), np.arange(CELLS) * 3.0)
    assert to_first(images)[-1].p < 2e-5


def test_photos_of_one_person_count_as_one() -> None:
    """The standard error is that of a cluster bootstrap, and of statsmodels' cluster-robust covariance."""
    generator, people = np.random.default_rng(8), np.arange(300) // 5
    images = generator.normal(size=60)[people] + 0.3 * generator.normal(size=300)
    one = [Contrast(np.array([1.0]), 0.0, np.inf, 1)]
    alone, clustered = (estimate(one, images.mean(keepdims=True), images[None], given)[0] for given in (None, people))
    assert clustered.high - clustered.low > 1.8 * (alone.high - alone.low)
    drawn = generator.integers(60, size=(4000, 60))
    bootstrap = images.reshape(60, 5).mean(axis=1)[drawn].mean(axis=1).std()
    se = (clustered.high - clustered.low) / 2 / stats.t.ppf(0.975, 59)
    assert se == pytest.approx(bootstrap, rel=0.05)
    fit = sm.OLS(images, np.ones(300)).fit(cov_type="cluster", cov_kwds={"groups": people}, use_t=True)
    assert se == pytest.approx(fit.bse[0], rel=0.01)


def test_seeds_and_images_agree_with_a_two_way_cluster_robust_fit() -> None:
    """One cell less another: statsmodels clusters by seed and by image at once; ours has the seeds' degrees of freedom
    besides."""
    generator = np.random.default_rng(9)
    difference = generator.normal(size=6)[:, None] + generator.normal(size=300) + 0.5 * generator.normal(size=(6, 300))
    images = np.concatenate([difference, np.zeros((6, 300))])
    first = np.where(np.arange(12) < 6, np.arange(12), -1)
    found = paired(first, np.where(np.arange(12) < 6, -1, np.arange(12) - 6), images.mean(axis=1))
    assert found is not None
    (one,) = estimate([found], images.mean(axis=1), images)
    groups = np.stack([np.repeat(np.arange(6), 300), np.tile(np.arange(300), 6)], axis=1)
    fit = sm.OLS(difference.ravel(), np.ones(1800)).fit(cov_type="cluster", cov_kwds={"groups": groups})
    se = np.sqrt(_variance_of(one, found.df, 300))
    assert se == pytest.approx(fit.bse[0], rel=0.1)


def _variance_of(one: Estimate, df: float, images: int) -> float:
    """From the width of the interval, with t of some degrees of freedom between the least and infinitely many."""
    half = (one.high - one.low) / 2
    t = stats.t.isf(one.p / 2, np.linspace(df, images, 20_000)) * half / abs(one.value)
    critical = stats.t.ppf(0.975, np.linspace(df, images, 20_000))
    return float((half / critical[np.argmin(np.abs(t - critical))]) ** 2)


def test_a_missing_run_does_not_pass_the_seeds_difference_off_as_the_cells() -> None:
    seeds, cells = np.array([0.0, 10.0, 20.0]), np.arange(CELLS) * 1.0
    kept = np.arange(len(CELL)) != 2  # the last seed of the first cell
    y = (seeds[SEED] + cells[CELL])[kept]
    found = Additive(CELL[kept], SEED[kept], y).contrast(np.eye(CELLS)[1] - np.eye(CELLS)[0])
    assert found is not None
    assert found.weights @ y == pytest.approx(1.0)


def test_cells_that_no_seed_connects_are_not_compared() -> None:
    y = np.array([1.0, 2.0, 3.0])
    model = Additive(np.array([0, 1, 1]), np.array([0, 1, 2]), y)
    assert model.contrast(np.array([1.0, -1.0])) is None
    assert paired(np.array([0, -1, -1]), np.array([-1, 1, 2]), y) is None


def test_one_seed_tells_nothing_of_seeds() -> None:
    y = np.array([1.0, 2.0])
    found = Additive(np.array([0, 1]), np.array([0, 0]), y).contrast(np.array([-1.0, 1.0]))
    assert found is not None
    assert np.isnan(found.se)
    (alone,) = estimate([found], y)
    assert alone.value == pytest.approx(1.0)
    assert np.isnan([alone.low, alone.high, alone.p]).all()
    (with_images,) = estimate([found], y, np.array([[0.0, 2.0, 1.0], [1.5, 2.5, 2.0]]))
    assert (with_images.value, with_images.seeds, with_images.images) == (pytest.approx(5 / 6 + 1 / 6), 1, 3)
    assert np.isfinite(with_images.p)


def test_what_draws_nothing_is_paired_with_every_seed_of_the_other() -> None:
    y = np.array([1.0, 2.0, 4.0, 0.5])
    grey, others = np.array([-1, -1, -1, 0]), np.array([0, 1, 2, -1])
    found = paired(others, grey, y, fixed=(False, True))
    assert found is not None
    assert (found.df, found.seeds) == (2, 3)
    assert found.se == pytest.approx(np.std([0.5, 1.5, 3.5], ddof=1) / np.sqrt(3))
    assert found.weights @ y == pytest.approx(np.mean([0.5, 1.5, 3.5]))


def test_two_that_draw_nothing_differ_by_images_alone() -> None:
    images = np.random.default_rng(0).normal(size=(2, 100)) + np.array([[0.0], [1.0]])
    y = images.mean(axis=1)
    found = paired(np.array([-1, 0]), np.array([0, -1]), y, fixed=(True, True))
    assert found is not None
    assert found.se == 0
    assert estimate([found], y, images)[0].p < 0.01


def test_a_metric_that_is_the_same_everywhere_differs_nowhere() -> None:
    y = np.full(len(CELL), 42.782303173542026)
    images = np.tile(np.random.default_rng(0).normal(size=IMAGES), (len(CELL), 1))
    model = Additive(CELL, SEED, y)
    w = np.full(CELLS, 1 / 11)
    w[0] = -1
    found = model.contrast(w)
    assert found is not None
    for values in (None, images):
        (one,) = estimate([found], y, values)
        assert (one.value, one.p) == (pytest.approx(0, abs=1e-12), 1.0)


@pytest.mark.parametrize("value", [0.1, 1 / 3, 42.782303173542026, 1e6 + 0.1])
def test_rounding_makes_no_variance_negative(value: float) -> None:
    """Fifteen cells of one seed have the variance of five others, whose scores are all the same."""
    cell = np.concatenate([np.repeat(np.arange(5), 3), np.arange(5, 20)])
    fitted = Additive(cell, np.concatenate([np.tile(np.arange(3), 5), np.zeros(15, int)]), np.full(30, value))
    assert (fitted.variances >= 0).all()
    found = fitted.contrast(np.eye(20)[0] - np.eye(20)[19])
    assert found
    assert found.se >= 0


def test_seeds_that_do_not_vary_prove_nothing_of_seeds() -> None:
    y = (CELL * 1.0)[: 2 * SEEDS]
    found = Additive(CELL[: len(y)], SEED[: len(y)], y).contrast(np.array([-1.0, 1.0]))
    assert found is not None
    assert np.isnan(estimate([found], y)[0].p)


def test_images_that_one_side_lacks_are_left_out_pair_by_pair() -> None:
    images = np.array([[1.0, 2.0, np.nan, 4.0], [2.0, 3.0, 100.0, 5.0], [0.0, np.nan, np.nan, np.nan]])
    y = np.array([7 / 3, 27.5, 0.0])
    first = Contrast(np.array([-1.0, 1.0, 0.0]), 0.1, 2, 3)
    sparse = Contrast(np.array([0.0, 1.0, -1.0]), 0.1, 2, 3)
    one, other = estimate([first, sparse], y, images)
    assert (one.value, one.images) == (1.0, 3)
    assert other.images == 0  # too few to be resampled: the scores are compared as they are
    assert other.value == 27.5


def test_an_interaction_is_found_and_an_additive_table_has_none() -> None:
    generator = np.random.default_rng(6)
    row, col = CELL // 3, CELL % 3
    additive = row * 1.0 + col + SEED + 0.1 * generator.normal(size=len(CELL))
    crossing = additive + ((row == 1) & (col == 2))
    _, between, within, p = interaction(row, col, SEED, additive)
    assert 1 <= between <= 6
    assert 2 <= within <= 22
    assert p > 0.05
    assert interaction(row, col, SEED, crossing)[3] < 1e-3
    assert np.isnan(interaction(row[SEED == 0], col[SEED == 0], SEED[SEED == 0], additive[SEED == 0])[3])


def test_an_interaction_of_these_photos_alone_is_none() -> None:
    """Seeds that hardly vary: by seeds alone the cells' chance differences on the photos would be an interaction."""
    generator = np.random.default_rng(10)
    images = generator.normal(size=(CELLS, 60))[CELL] + 0.001 * generator.normal(size=(len(CELL), 60))
    y = images.mean(axis=1)
    assert interaction(CELL // 3, CELL % 3, SEED, y)[3] < 0.01
    assert interaction(CELL // 3, CELL % 3, SEED, y, images)[3] > 0.05


@pytest.mark.parametrize(
    ("p", "adjusted"),
    [
        ([], []),
        ([0.03], [0.03]),
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),  # as statsmodels' multipletests(method="holm")
        ([0.5, 0.5, 0.9], [1.0, 1.0, 1.0]),
        ([0.01, 0.01, 0.01], [0.03, 0.03, 0.03]),
    ],
)
def test_holm_by_hand(p: list[float], adjusted: list[float]) -> None:
    assert holm(p) == pytest.approx(adjusted)


@pytest.mark.parametrize("n", [1, 2, 12, 250])
def test_holm_is_that_of_statsmodels(n: int) -> None:
    p = np.random.default_rng(n).random(n) ** 3
    assert holm(p.tolist()) == pytest.approx(multipletests(p, method="holm")[1].tolist())


def test_what_is_not_known_is_not_counted_by_holm() -> None:
    assert holm([float("nan"), 0.02, 0.5]) == pytest.approx([float("nan"), 0.04, 0.5], nan_ok=True)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.randoms())
def test_holm_rejects_step_by_step_and_does_not_depend_on_the_order(p: list[float], random: object) -> None:
    adjusted = holm(p)
    rejected = 0
    for step, value in enumerate(sorted(p)):  # Holm's own procedure at the level of 0.05
        if value * (len(p) - step) >= 0.05:
            break
        rejected += 1
    assert sum(one < 0.05 for one in adjusted) == rejected
    assert all(one >= min(raw, 1) for one, raw in zip(adjusted, p))
    order = list(range(len(p)))
    random.shuffle(order)  # type: ignore[attr-defined]
    assert holm([p[i] for i in order]) == pytest.approx([adjusted[i] for i in order])


@given(st.permutations(range(len(CELL))), st.permutations(range(SEEDS)))
@settings(max_examples=10, deadline=None)
def test_neither_the_order_of_rows_nor_the_names_of_seeds_matter(order: list[int], names: list[int]) -> None:
    images = crossed(np.random.default_rng(8), np.linspace(0, 1, CELLS))
    y = images.mean(axis=1)
    w = np.eye(CELLS)[4] - np.eye(CELLS)[0]
    here = Additive(CELL, SEED, y).contrast(w)
    there = Additive(CELL[order], np.array(names)[SEED][order], y[order]).contrast(w)
    assert here is not None
    assert there is not None
    (one,) = estimate([here], y, images)
    (other,) = estimate([there], y[order], images[order])
    assert (one.value, one.low, one.high, one.p) == pytest.approx((other.value, other.low, other.high, other.p))
