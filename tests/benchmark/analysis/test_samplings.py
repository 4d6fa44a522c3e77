"""Several samplings of a set: what they say of the noise goes into the intervals of scores of sets."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from scipy.stats import t

from support.rows import row
from support.simulation import Design, simulate
from support.small import SMALL
from zoo.benchmark.analysis.contrasts import Additive, Contrast
from zoo.benchmark.analysis.samplings import Samplings, estimate, together
from zoo.benchmark.config.plugins import CONFIGS
from zoo.benchmark.runs import experiment
from zoo.benchmark.tables import rows
from zoo.commands import main

SEEDS, TIMES = 3, 4
CELL = np.repeat([0, 1], SEEDS)
SEED = np.tile(np.arange(SEEDS), 2)
LESS = np.array([-1.0, 1.0])


def values(of_cells: float = 1.0, of_runs: float = 0.0) -> np.ndarray:
    """(R, K): noise that all runs see alike, that each cell and that each run takes in its own way."""
    generator = np.random.default_rng(0)
    noise = generator.normal(size=TIMES) + of_cells * generator.normal(size=(2, TIMES))[CELL]
    return noise + of_runs * generator.normal(size=(len(CELL), TIMES))


def contrast_of(y: np.ndarray) -> Contrast:
    found = Additive(CELL, SEED, y).contrast(LESS)
    assert found is not None
    return found


@pytest.mark.parametrize("fitted", [True, False])
def test_the_noise_of_a_difference_of_two_cells_is_that_of_its_mean_over_samplings(fitted: bool) -> None:
    drawn = values(of_runs=0.5)
    difference = drawn[SEEDS:].mean(axis=0) - drawn[:SEEDS].mean(axis=0)
    known = Samplings(drawn, CELL, [fitted, fitted])
    variance, df = known.of_samplings(contrast_of(drawn.mean(axis=1)).weights)
    assert variance == pytest.approx(difference.var(ddof=1) / TIMES)
    assert df == pytest.approx(TIMES - 1)


def test_of_two_baselines_beside_pairs_the_noise_is_their_own() -> None:
    drawn = np.random.default_rng(4).normal(size=(4, TIMES))
    known = Samplings(drawn, np.arange(4), [True, True, False, False])
    difference = drawn[3] - drawn[2]
    variance, _ = known.of_samplings(np.array([0.0, 0.0, -1.0, 1.0]))
    assert variance == pytest.approx(difference.var(ddof=1) / TIMES)


def test_noise_that_all_runs_see_alike_takes_nothing_from_a_difference() -> None:
    drawn = values(of_cells=0.0)
    assert Samplings(drawn, CELL, [True, True]).of_samplings(LESS[CELL] / SEEDS)[0] == pytest.approx(0, abs=1e-12)


def test_what_single_runs_do_in_single_samplings_is_known_by_itself() -> None:
    generator = np.random.default_rng(1)
    drawn = generator.normal(size=(2, 40))[CELL] + generator.normal(size=len(CELL))[:, None]
    noisy = drawn + 0.5 * generator.normal(size=drawn.shape)
    squares = np.full(len(CELL), 1 / SEEDS**2)
    assert Samplings(drawn, CELL, [True, True]).of_both(squares)[0] == pytest.approx(0, abs=1e-12)
    variance, df = Samplings(noisy, CELL, [True, True]).of_both(squares)
    assert variance == pytest.approx(2 * 0.25 / SEEDS / 40, rel=0.2)
    assert 100 < df <= 2 * 2 * 39


@pytest.mark.parametrize(
    ("seeds", "samplings", "both", "total", "df"),
    [
        ((4.0, 2.0), (1.0, 3.0), (0.0, 6.0), 5.0, 25 / (16 / 2 + 1 / 3)),
        ((4.0, 2.0), (1.0, 3.0), (1.0, 6.0), 4.0, 16 / (16 / 2 + 1 / 6)),  # samplings add nothing of their own
        ((1.0, 2.0), (1.0, 3.0), (2.0, 6.0), 2.0, 6.0),  # nor do seeds
        ((0.0, np.inf), (1.0, 3.0), (0.0, np.inf), 1.0, 3.0),  # what draws nothing
        ((0.0, np.inf), (0.0, 3.0), (0.0, np.inf), 0.0, np.inf),
    ],
)
def test_parts_that_hold_a_third_are_added_without_counting_it_twice(
    seeds: tuple[float, float], samplings: tuple[float, float], both: tuple[float, float], total: float, df: float
) -> None:
    assert together(seeds, samplings, both) == pytest.approx((total, df))


def test_an_interval_says_over_how_many_samplings_it_is_and_is_wider_for_them() -> None:
    drawn = values() + 0.01 * np.random.default_rng(2).normal(size=len(CELL))[:, None]
    y = drawn.mean(axis=1)
    contrast = contrast_of(y)
    (found,) = estimate([contrast], y, Samplings(drawn, CELL, [True, True]))
    (still,) = estimate([contrast], y, Samplings(np.repeat(y[:, None], TIMES, axis=1), CELL, [True, True]))
    assert (found.images, found.unit, found.seeds) == (TIMES, "samplings", SEEDS)
    assert found.high - found.low > 5 * (still.high - still.low)
    assert still.high - still.low == pytest.approx(2 * t.ppf(0.975, contrast.df) * contrast.se)  # of seeds alone


def test_where_noise_prevails_intervals_hold_the_truth_as_often_as_they_say() -> None:
    found = simulate(Design(samplings=True, rows=3, cols=2, images=3, image=0.5, rest=0.05), 150)
    assert 0.92 <= found.coverage <= 0.98
    assert found.family <= 0.09
    assert found.interaction <= 0.09


def table(folder: Path, *, samplings: bool, others: float = 0.0) -> Path:
    """Three cells and two baselines of a metric of sets, each with two seeds sampled three times."""
    generator, some, records = np.random.default_rng(3), [], {}
    for encoder in ("none", "unet", "hog", ""):
        of_cell = generator.normal(size=3)
        for seed in range(2 if encoder else 1):
            drawn = 10 + of_cell + 0.05 * generator.normal(size=3) if encoder else np.full(3, 30.0)
            run_id, cell = f"{encoder}{seed}", {"encoder": encoder, "cond": "concat", "seed": seed}
            if not encoder:
                cell = {"encoder": "", "cond": "", "method": "grey"}
            some.append(row(run_id, "fd", float(drawn.mean()), higher_is_better=False, **cell))
            records[run_id] = {"samplings": {"fd": drawn.tolist()} if samplings else {}}
    rows.write(folder / "t.csv", some)
    (folder / "t.specs.json").write_text(json.dumps(records))
    return folder / "t.csv"


def compared(table: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, str]]:
    assert main([str(table), "--baseline", "encoder=none,cond=concat", "--format", "csv"], command="compare") == 0
    lines = [line for line in csv.DictReader(capsys.readouterr().out.splitlines()) if line["kind"] == "score"]
    return {line["encoder"] or line["method"]: line for line in lines}


def test_compare_puts_the_spread_of_samplings_into_intervals(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def width(line: dict[str, str]) -> float:
        return float(line["high"]) - float(line["low"])

    without = compared(table(tmp_path, samplings=False), capsys)
    found = compared(table(tmp_path, samplings=True), capsys)
    assert [without[name]["samplings"] for name in ("unet", "grey")] == ["", ""]
    assert [found[name]["samplings"] for name in ("unet", "grey")] == ["3", "3"]
    assert found["unet"]["difference"] == without["unet"]["difference"]
    assert width(found["unet"]) > 2 * width(without["unet"])
    assert width(found["grey"]) > 2 * width(without["grey"])
    assert without["hog"]["verdict"] != found["hog"]["verdict"] == "undecided"


def test_a_run_keeps_the_value_of_each_sampling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        options = [
            "metrics=[psnr,fd]",
            "eval.seeds=2",
            "eval.limit=5",
            "image_size=32",
            "table=t.csv",
            "cache_dir=cache",
        ]
        config: Any = compose("config", [*SMALL, *options])
    experiment.run(config)
    scored = {one.metric: one for one in rows.read(tmp_path / "t.csv")}
    if scored["fd_st_lpips"].value is None:
        pytest.skip(scored["fd_st_lpips"].note)
    (record,) = json.loads((tmp_path / "t.specs.json").read_text()).values()
    assert record["samplings"].keys() == {"fd_st_lpips"}
    drawn = record["samplings"]["fd_st_lpips"]
    assert len(set(drawn)) == 2
    assert np.mean(drawn) == pytest.approx(scored["fd_st_lpips"].value)
