"""The Fréchet distance, its streamed statistics, and the metrics made of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import zoo
from zoo.errors import ZooError
from zoo.metrics._frechet import FrechetMetric, GaussianStats, frechet_distance


def covariance(dim: int, seed: int, rank: int | None = None) -> Tensor:
    x = torch.randn(dim, rank or 3 * dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return x @ x.T / x.shape[1]


def vector(dim: int, seed: int) -> Tensor:
    return torch.randn(dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def gathered(x: Tensor, cuts: list[int]) -> GaussianStats:
    stats = GaussianStats()
    for batch in torch.tensor_split(x, sorted(cuts)):
        stats.update(batch)
    return stats


def test_distance_of_gaussians_with_diagonal_covariances_is_the_closed_form() -> None:
    mu1, mu2 = vector(5, 0), vector(5, 1)
    s1, s2 = vector(5, 2).abs(), vector(5, 3).abs()
    expected = (mu1 - mu2).square().sum() + (s1 - s2).square().sum()
    assert frechet_distance(mu1, s1.square().diag(), mu2, s2.square().diag()) == pytest.approx(expected.item())


def test_distance_of_gaussians_with_commuting_covariances_is_the_closed_form() -> None:
    axes, _ = torch.linalg.qr(torch.randn(6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0)))
    s1, s2 = vector(6, 1).abs(), vector(6, 2).abs()
    cov1, cov2 = axes @ s1.square().diag() @ axes.T, axes @ s2.square().diag() @ axes.T
    mu = torch.zeros(6)
    assert frechet_distance(mu, cov1, mu, cov2) == pytest.approx((s1 - s2).square().sum().item())


@pytest.mark.parametrize("rank", [40, 8], ids=["full rank", "fewer images than features"])
def test_distance_agrees_with_pytorch_fid(rank: int) -> None:
    fid_score = pytest.importorskip("pytorch_fid.fid_score")
    given = vector(16, 0), covariance(16, 1, rank), vector(16, 2), covariance(16, 3, rank)
    try:
        theirs = fid_score.calculate_frechet_distance(*(x.numpy() for x in given))
    except TypeError:
        pytest.skip("pytorch-fid calls sqrtm(disp=False), which this SciPy no longer has")
    assert frechet_distance(*given) == pytest.approx(theirs, rel=1e-5)


def test_distance_is_symmetric_also_where_covariances_are_singular() -> None:
    given = vector(8, 0), covariance(8, 1, 3), vector(8, 2), covariance(8, 3)
    assert frechet_distance(*given) == pytest.approx(frechet_distance(*given[2:], *given[:2]), rel=1e-6)


def test_distance_to_itself_is_zero() -> None:
    mu, cov = vector(32, 0), covariance(32, 1, 5)
    assert 0 <= frechet_distance(mu, cov, mu, cov) < 1e-6


@settings(max_examples=30, deadline=None)
@given(
    n=st.integers(2, 40),
    cuts=st.lists(st.integers(0, 40), max_size=5),
    offset=st.sampled_from([0.0, 1e4]),
    seed=st.integers(0, 99),
)
def test_statistics_gathered_in_any_batches_are_those_of_the_whole(
    n: int, cuts: list[int], offset: float, seed: int
) -> None:
    x = torch.randn(n, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + offset
    stats = gathered(x, cuts)
    assert stats.n == n
    np.testing.assert_allclose(stats.mean, x.mean(0), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(stats.cov, np.cov(x.numpy(), rowvar=False), rtol=1e-7, atol=1e-9)


def test_statistics_of_float32_features_keep_a_small_variance_beside_a_large_mean() -> None:
    x = 1000 + torch.arange(8.0)[:, None] / 16
    assert gathered(x, [3]).cov.item() == pytest.approx(x.double().var().item(), rel=1e-12)


class MeanColor:
    identity = "mean colour"

    def __call__(self, rgb: Tensor) -> Tensor:
        return rgb.mean(dim=(2, 3))


class Pixels(FrechetMetric):
    name = "fd_pixels"
    extractor = MeanColor()


def test_a_metric_of_two_equal_sets_is_zero_and_lower_is_better() -> None:
    metric, images = Pixels(), torch.rand(6, 3, 4, 4)
    metric.update(images[:4], images[:4])
    metric.update(images[4:], images[4:])
    (score,) = metric.compute()
    assert (score.name, score.higher_is_better, score.per_image) == ("fd_pixels", False, None)
    assert score.value == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("n", [0, 1])
def test_a_metric_of_fewer_than_two_images_is_a_hole_with_its_reason(n: int) -> None:
    metric = Pixels()
    metric.update(torch.rand(n, 3, 4, 4), torch.rand(n, 3, 4, 4))
    (score,) = metric.compute()
    assert score.value is None
    assert "at least 2 images" in score.note


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"space": "vgg"}, "expected one of st_lpips, inception, arcface, facenet, dino"),
        ({"space": "st_lpips", "weights": "x.pth"}, "has its own weights"),
        ({"space": "facenet", "face_box": [0.0, 0.0, 0.0]}, "positive side"),
    ],
)
def test_an_impossible_option_of_fd_is_refused_at_construction(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ZooError, match=message):
        zoo.create_metric("fd", **options)


@pytest.mark.parametrize("space", ["st_lpips", "arcface", "facenet"])
def test_the_score_of_fd_is_named_by_its_space(space: str) -> None:
    assert zoo.create_metric("fd", space=space).names() == {f"fd_{space}": False}
