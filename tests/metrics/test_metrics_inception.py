"""FID and KID, with an Inception file of the right layout that these tests make."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import zoo
from zoo.errors import WeightsNotFoundError, ZooError
from zoo.metrics import FeatureMetric
from zoo.metrics._inception import RECORD, load_inception, network
from zoo.metrics._mmd import squared_mmd
from zoo.metrics.kid import KID, cubic
from zoo.weights import sha256_file


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("inception") / RECORD.filename
    torch.save(network().state_dict(), path)
    return str(path)


def images(n: int, seed: int = 0) -> Tensor:
    return torch.rand(n, 3, 32, 32, generator=torch.Generator().manual_seed(seed))


def features(n: int, seed: int, dim: int = 8) -> Tensor:
    return torch.randn(n, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def mmd_by_loops(x: np.ndarray, y: np.ndarray) -> float:
    def k(a: np.ndarray, b: np.ndarray) -> float:
        return (a @ b / len(a) + 1) ** 3

    n = len(x)
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
    return sum(k(x[i], x[j]) + k(y[i], y[j]) - k(x[i], y[j]) - k(x[j], y[i]) for i, j in pairs) / len(pairs)


class MeanColor:
    identity = "mean colour"

    def __call__(self, rgb: Tensor) -> Tensor:
        return rgb.mean(dim=(2, 3))


class PixelKID(KID):
    """On mean colours, as Inception would cost seconds."""

    def load(self, device: str) -> None:
        self.extractor = MeanColor()


def kid_of(metric: KID, pred: Tensor, truth: Tensor, batch: int) -> float:
    metric.load("cpu")
    for p, t in zip(pred.split(batch), truth.split(batch)):
        metric.update(p, t)
    value = metric.compute()[0].value
    assert value is not None
    return value


@pytest.mark.slow
def test_features_agree_with_pytorch_fid_on_the_same_weights(weights: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from pytorch_fid import inception

    state = torch.load(weights, weights_only=True)
    monkeypatch.setattr(inception, "load_state_dict_from_url", lambda *_, **__: state)
    theirs = inception.InceptionV3([inception.InceptionV3.BLOCK_INDEX_BY_DIM[2048]]).eval()(images(2))[0].flatten(1)
    ours = load_inception(weights, "cpu")(images(2))
    assert ours.shape == (2, 2048)
    torch.testing.assert_close(ours, theirs)


@pytest.mark.slow
def test_fid_and_kid_describe_an_image_alike_and_by_what_the_file_holds(weights: str, tmp_path: Path) -> None:
    copy = shutil.copy(weights, tmp_path / "elsewhere.pth")
    both = [zoo.create_metric("fid", weights=weights), zoo.create_metric("kid", weights=str(copy))]
    pred, truth = images(2), images(2, seed=1)
    for metric in both:
        assert isinstance(metric, FeatureMetric)
        metric.load("cpu")
        metric.update(pred, truth)
    assert both[0].extractor.identity == both[1].extractor.identity
    assert sha256_file(weights) in both[0].extractor.identity
    fid, kid = (score for metric in both for score in metric.compute())
    assert (fid.name, kid.name) == ("fid", "kid")
    assert fid.value is not None
    assert fid.value > 0


@pytest.mark.parametrize("name", ["fid", "kid"])
def test_a_missing_file_is_one_clear_error(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WeightsNotFoundError, match=r"^weights=nowhere\.pth"):
        zoo.create_metric(name, weights="nowhere.pth").load("cpu")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    with pytest.raises(WeightsNotFoundError, match=f"{RECORD.filename} is not in .* weights=PATH"):
        zoo.create_metric(name).load("cpu")


def test_a_file_of_another_layout_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "resnet.pth"
    torch.save({"conv1.weight": torch.zeros(1)}, path)
    with pytest.raises(ZooError, match="not the weights of InceptionV3 of FID"):
        zoo.create_metric("fid", weights=str(path)).load("cpu")


def test_mmd_is_the_formula_written_as_loops_whatever_is_held_at_a_time() -> None:
    x, y = features(7, 0), features(7, 1) + 0.5
    expected = mmd_by_loops(x.numpy(), y.numpy())
    assert squared_mmd(x, y, cubic) == pytest.approx(expected)
    assert squared_mmd(x, y, cubic, rows=3) == pytest.approx(expected)


def test_mmd_is_unbiased_zero_on_average_for_one_distribution() -> None:
    found = torch.tensor([squared_mmd(features(20, 2 * s), features(20, 2 * s + 1), cubic) for s in range(200)])
    assert found.min() < 0
    assert abs(found.mean()) < 3 * found.std() / 200**0.5


def test_mmd_is_unbiased_when_each_pair_shares_much() -> None:
    values = []
    for s in range(200):
        shared = features(20, 3 * s)
        values.append(
            squared_mmd(shared + 0.1 * features(20, 3 * s + 1), shared + 0.1 * features(20, 3 * s + 2), cubic)
        )
    found = torch.tensor(values)
    assert abs(found.mean()) < 3 * found.std() / 200**0.5


@pytest.mark.parametrize("subset_size", [3, 10, 100])
def test_kid_does_not_depend_on_the_batches(subset_size: int) -> None:
    values = [kid_of(PixelKID(subset_size=subset_size), images(20), images(20, 1), batch) for batch in (1, 7, 20)]
    assert values == pytest.approx([values[0]] * 3)


def test_kid_is_the_mean_of_its_blocks_by_their_size() -> None:
    pred, truth = images(25), images(25, 1)
    x, y = pred.mean((2, 3)).double(), truth.mean((2, 3)).double()
    blocks = [slice(0, 10), slice(10, 25)]  # the last takes what is left
    expected = sum(squared_mmd(x[block], y[block], cubic) * len(x[block]) for block in blocks) / 25
    assert kid_of(PixelKID(subset_size=10), pred, truth, 8) == pytest.approx(expected)


def test_kid_of_fewer_images_than_two_blocks_compares_all_of_them() -> None:
    pred, truth = images(19), images(19, 1)
    expected = squared_mmd(pred.mean((2, 3)).double(), truth.mean((2, 3)).double(), cubic)
    assert kid_of(PixelKID(subset_size=10), pred, truth, 4) == pytest.approx(expected)


def test_kid_in_blocks_stays_unbiased() -> None:
    values = []
    for s in range(200):
        metric = PixelKID(subset_size=5)
        metric.update_features(features(20, 2 * s), features(20, 2 * s + 1))
        values.append(metric.compute()[0].value)
    found = torch.tensor(values)
    assert abs(found.mean()) < 3 * found.std() / 200**0.5


def test_kid_can_be_asked_more_than_once() -> None:
    metric = PixelKID(subset_size=5)
    metric.update_features(features(12, 0), features(12, 1))
    first = metric.compute()
    assert metric.compute() == first
    metric.update_features(features(12, 2), features(12, 3))
    whole = PixelKID(subset_size=5)
    whole.update_features(*(torch.cat([features(12, s), features(12, s + 2)]) for s in (0, 1)))
    assert metric.compute()[0].value == pytest.approx(whole.compute()[0].value)


def test_kid_needs_two_images() -> None:
    assert "at least 2 images" in PixelKID().compute()[0].note
    with pytest.raises(ZooError, match="subset_size=1: expected at least 2"):
        zoo.create_metric("kid", subset_size=1)
