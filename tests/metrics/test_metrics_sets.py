"""Sets compared in any feature space: precision and recall, and MMD with a Gaussian kernel."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

import zoo
from zoo.errors import ZooError
from zoo.metrics import FeatureMetric
from zoo.metrics._mmd import squared_mmd
from zoo.metrics.mmd import gaussian, median_distance
from zoo.metrics.precision_recall import coverage


def features(n: int, seed: int, dim: int = 4) -> Tensor:
    return torch.randn(n, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def scores(name: str, pred: Tensor, truth: Tensor, *, batch: int = 7, **options: Any) -> list[float | None]:
    metric = zoo.create_metric(name, **options)
    assert isinstance(metric, FeatureMetric)
    for p, t in zip(pred.split(batch), truth.split(batch)):
        metric.update_features(p, t)
    return [score.value for score in metric.compute()]


def distance(x: Tensor, y: Tensor) -> float:
    return math.dist(x.tolist(), y.tolist())


def coverage_by_loops(points: Tensor, centers: Tensor, k: int) -> float:
    """Kynkäänniemi et al. 2019, eq. 1 and 2, without a point's own center."""
    n = len(centers)
    radii = [sorted(distance(centers[j], centers[m]) for m in range(n) if m != j)[k - 1] for j in range(n)]
    inside = [any(distance(points[i], centers[j]) <= radii[j] for j in range(n) if j != i) for i in range(len(points))]
    return sum(inside) / len(inside)


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("rows", [4, 500])
def test_coverage_is_the_formula_written_as_loops_whatever_is_held_at_a_time(k: int, rows: int) -> None:
    points, centers = features(30, 0) + 0.8, features(30, 1)
    assert coverage(points, centers, k, rows=rows) == coverage_by_loops(points, centers, k)


def test_precision_is_of_colorings_among_truths_and_recall_the_other_way_round() -> None:
    pred, truth = features(40, 0) * 0.3, features(40, 1)  # dull: all plausible, few of the truths reached
    expected = [coverage_by_loops(pred, truth, 3), coverage_by_loops(truth, pred, 3)]
    assert scores("precision_recall", pred, truth) == pytest.approx(expected)
    assert expected[0] > 0.9
    assert expected[1] < 0.5


def test_a_coloring_is_not_plausible_for_lying_beside_its_own_truth() -> None:
    truth = 100 * torch.eye(20, dtype=torch.float64) + features(20, 0, 20)
    alone = truth + 1000 * torch.eye(20, dtype=torch.float64)  # far from all, nearest to its own
    assert scores("precision_recall", alone, truth)[0] == 0


@pytest.mark.parametrize("batch", [1, 40])
def test_precision_and_recall_do_not_depend_on_the_batches(batch: int) -> None:
    pred, truth = features(40, 0) * 0.6, features(40, 1)
    assert scores("precision_recall", pred, truth, batch=batch) == scores("precision_recall", pred, truth)


def test_precision_and_recall_of_too_few_images_are_missing() -> None:
    assert scores("precision_recall", features(4, 0), features(4, 1)) == [None, None]
    assert None not in scores("precision_recall", features(5, 0), features(5, 1))


def test_gaussian_mmd_is_the_formula_written_as_loops() -> None:
    x, y = features(9, 0), features(9, 1) + 0.5

    def k(a: Tensor, b: Tensor) -> float:
        return math.exp(-(distance(a, b) ** 2) / (2 * 1.5**2))

    pairs = [(i, j) for i in range(9) for j in range(9) if i != j]
    expected = sum(k(x[i], x[j]) + k(y[i], y[j]) - k(x[i], y[j]) - k(x[j], y[i]) for i, j in pairs) / len(pairs)
    assert scores("mmd", x, y, sigma=1.5) == [pytest.approx(expected)]


def test_gaussian_mmd_of_gaussians_is_the_closed_form() -> None:
    """Of N(0, 1) and N(1, 1) under exp(−d²/2σ²): E k = σ/√(σ² + 2)·exp(−m²/2(σ² + 2)) for means m apart."""
    x, y = features(2000, 0, 1), features(2000, 1, 1) + 1
    expected = 2 * math.sqrt(1 / 3) * (1 - math.exp(-1 / 6))
    assert scores("mmd", x, y, sigma=1.0, batch=500) == [pytest.approx(expected, abs=0.02)]


def test_gaussian_mmd_is_unbiased_in_blocks() -> None:
    values = torch.tensor(
        [scores("mmd", features(20, 2 * s), features(20, 2 * s + 1), sigma=2.0, subset_size=5) for s in range(200)]
    )
    assert values.min() < 0
    assert abs(values.mean()) < 3 * values.std() / 200**0.5


def test_without_sigma_the_kernel_is_as_wide_as_the_truths_of_the_first_block_lie_apart() -> None:
    x, y = features(25, 0), 3 * features(25, 1)
    sigma = median_distance(y[:10])
    blocks = [slice(0, 10), slice(10, 25)]
    expected = sum(squared_mmd(x[b], y[b], lambda a, c: gaussian(a, c, sigma)) * len(x[b]) for b in blocks) / 25
    assert scores("mmd", x, y, subset_size=10) == [pytest.approx(expected)]


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("mmd", {"space": "vgg"}, "space=vgg: unknown; expected one of st_lpips, inception, "),
        ("mmd", {"sigma": 0}, "sigma=0: expected a number above 0"),
        ("mmd", {"subset_size": 1}, "at least 2"),
        ("precision_recall", {"k": 0}, "k=0: expected at least 1"),
        ("precision_recall", {"space": "dino", "face_box": [0, 0, 1]}, "takes no face_box"),
        ("fd", {"weights": "some.pth"}, "has its own weights"),
    ],
)
def test_impossible_options_are_refused(name: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ZooError, match=said):
        zoo.create_metric(name, **options)
