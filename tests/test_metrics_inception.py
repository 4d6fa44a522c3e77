"""FID and KID, with an Inception file of the right layout that these tests make."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import zoo
from zoo.errors import WeightsNotFoundError, ZooError
from zoo.metrics import Metric
from zoo.metrics._inception import RECORD, load_inception, network
from zoo.metrics.kid import KID, squared_mmd


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


class PixelKID(KID):
    """On mean colours, as Inception would cost seconds."""

    def prepare(self, device: str) -> None:
        self._inception = lambda rgb: rgb.mean(dim=(2, 3))  # type: ignore[assignment]


def kid_of(metric: KID, pred: Tensor, truth: Tensor, batch: int) -> float:
    metric.prepare("cpu")
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
    ours = load_inception(weights, "cpu", "option")(images(2))
    assert ours.shape == (2, 2048)
    torch.testing.assert_close(ours, theirs)


@pytest.mark.slow
def test_fid_and_kid_run_the_network_once_per_batch(weights: str) -> None:
    inception = load_inception(weights, "cpu", "option")
    calls: list[int] = []
    hook = inception._net.register_forward_hook(lambda *_: calls.append(1))
    both: list[Metric] = [zoo.create_metric("fid", weights=weights), zoo.create_metric("kid", weights=weights)]
    pred, truth = images(2), images(2, seed=1)
    for metric in both:
        metric.prepare("cpu")
        metric.update(pred, truth)
    hook.remove()
    assert len(calls) == 2
    fid, kid = (score for metric in both for score in metric.compute())
    assert (fid.name, kid.name) == ("fid", "kid")
    assert fid.value is not None
    assert fid.value > 0


def test_images_changed_in_place_are_seen_again(weights: str) -> None:
    inception, batch = load_inception(weights, "cpu", "option"), images(1)
    before = inception(batch)
    assert not torch.equal(inception(batch.mul_(0.5)), before)


@pytest.mark.parametrize("name", ["fid", "kid"])
def test_a_missing_file_is_one_clear_error(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WeightsNotFoundError, match=f"metrics.{name}.weights=nowhere.pth"):
        zoo.create_metric(name, weights="nowhere.pth").prepare("cpu")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    with pytest.raises(WeightsNotFoundError, match=f"{RECORD.filename} is not in .*metrics.{name}.weights=PATH"):
        zoo.create_metric(name).prepare("cpu")


def test_a_file_of_another_layout_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "resnet.pth"
    torch.save({"conv1.weight": torch.zeros(1)}, path)
    with pytest.raises(ZooError, match="not the weights of InceptionV3 of FID"):
        zoo.create_metric("fid", weights=str(path)).prepare("cpu")


def test_mmd_is_the_formula_written_as_loops_whatever_is_held_at_a_time() -> None:
    x, y = features(7, 0), features(7, 1) + 0.5
    expected = mmd_by_loops(x.numpy(), y.numpy())
    assert squared_mmd(x, y) == pytest.approx(expected)
    assert squared_mmd(x, y, rows=3) == pytest.approx(expected)


def test_mmd_is_unbiased_zero_on_average_for_one_distribution() -> None:
    found = torch.tensor([squared_mmd(features(20, 2 * s), features(20, 2 * s + 1)) for s in range(200)])
    assert found.min() < 0
    assert abs(found.mean()) < 3 * found.std() / 200**0.5


def test_mmd_is_unbiased_when_each_pair_shares_much() -> None:
    values = []
    for s in range(200):
        shared = features(20, 3 * s)
        values.append(squared_mmd(shared + 0.1 * features(20, 3 * s + 1), shared + 0.1 * features(20, 3 * s + 2)))
    found = torch.tensor(values)
    assert abs(found.mean()) < 3 * found.std() / 200**0.5


@pytest.mark.parametrize("max_images", [6, 100], ids=["a sample", "all images"])
def test_kid_does_not_depend_on_the_batches(max_images: int) -> None:
    values = [kid_of(PixelKID(max_images=max_images), images(20), images(20, 1), batch) for batch in (1, 7, 20)]
    assert values == pytest.approx([values[0]] * 3)


def test_kid_keeps_at_most_max_images_drawn_from_all() -> None:
    metric = PixelKID(max_images=10)
    order = torch.arange(200.0)[:, None, None, None].expand(200, 3, 1, 1)
    kid_of(metric, order, order, batch=16)
    kept = torch.stack(metric._kept)[:, 0, 0]
    assert len(kept) == 10
    assert kept.min() < 100 < kept.max()
    assert torch.equal(torch.stack(metric._kept)[:, 0], torch.stack(metric._kept)[:, 1])  # pairs stay pairs


def test_kid_needs_two_images() -> None:
    assert "at least 2 images" in PixelKID().compute()[0].note
    with pytest.raises(ZooError, match="max_images=1: expected at least 2"):
        zoo.create_metric("kid", max_images=1)
