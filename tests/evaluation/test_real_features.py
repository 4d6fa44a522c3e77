"""Features of the real images are computed once, and scores of features stream."""

from __future__ import annotations

import tracemalloc
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch
from torch import Tensor

from zoo import registry
from zoo.data import Dataset
from zoo.evaluation.evaluate import EvalConfig, Evaluation, evaluate
from zoo.methods import Method
from zoo.methods.grey import GreyMethod
from zoo.methods.truth import TruthMethod
from zoo.metrics import FeatureMetric, Metric, Score
from zoo.metrics._frechet import FrechetMetric
from zoo.metrics.kid import KID


@dataclass
class Pooled:
    """Colours of the quarters of an image. Counts the images it sees."""

    identity: str = "pooled"
    seen: list[int] = field(default_factory=list)

    def __call__(self, rgb: Tensor) -> Tensor:
        self.seen.append(len(rgb))
        return torch.nn.functional.adaptive_avg_pool2d(rgb, 2).flatten(1)


class PooledFD(FrechetMetric):
    name = "fd"

    def __init__(self, extractor: Pooled) -> None:
        super().__init__()
        self.extractor = extractor


class PooledKID(KID):
    def __init__(self, extractor: Pooled, subset_size: int = 1000) -> None:
        super().__init__(subset_size=subset_size)
        self.extractor = extractor

    def load(self, device: str) -> None:
        pass


class Recorder(Metric):
    """Keeps what it is shown."""

    def __init__(self) -> None:
        self.batches: list[tuple[Tensor, Tensor]] = []

    def names(self) -> dict[str, bool | None]:
        return {}

    def update(self, pred: Tensor, truth: Tensor) -> None:
        self.batches.append((pred, truth))

    def compute(self) -> list[Score]:
        return []


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return registry.datasets.create("synthetic", n_train=1, n_val=1, n_test=7, size=32)


def run(
    dataset: Dataset, folder: Path, *metrics: Metric, colorer: Method | None = None, limit: int | None = None
) -> Evaluation:
    config = EvalConfig(batch_size=3, grid=1, samples=1, limit=limit)
    return evaluate(colorer or GreyMethod(), dataset, metrics, config, image_size=16, cache_dir=folder)


def values(evaluation: Evaluation) -> list[float | None]:
    return [score.value for score in evaluation.scores]


def test_metrics_of_one_extractor_share_its_features_of_the_colorings(dataset: Dataset, tmp_path: Path) -> None:
    pooled = Pooled()
    run(dataset, tmp_path, PooledFD(pooled), PooledKID(pooled))
    assert sum(pooled.seen) == 7 + 7  # real ones and colourings


def test_real_images_are_described_once_and_for_ever(dataset: Dataset, tmp_path: Path) -> None:
    first, second = Pooled(), Pooled()
    found = run(dataset, tmp_path, PooledFD(first), colorer=TruthMethod(4))
    again = run(dataset, tmp_path, PooledFD(second), colorer=TruthMethod(4))
    assert (sum(first.seen), sum(second.seen)) == (14, 7)
    assert values(found) == values(again)


def test_cached_features_give_the_scores_of_the_images_themselves(dataset: Dataset, tmp_path: Path) -> None:
    recorder = Recorder()
    makers = (lambda: PooledFD(Pooled()), lambda: PooledKID(Pooled()))
    found = run(dataset, tmp_path, *(make() for make in makers), recorder)
    for make, score in zip(makers, found.scores):
        metric = make()
        for pred, truth in recorder.batches:
            metric.update(pred, truth)
        assert metric.compute()[0].value == score.value


def test_another_extractor_or_another_set_of_images_is_another_file(dataset: Dataset, tmp_path: Path) -> None:
    run(dataset, tmp_path, PooledFD(Pooled()))
    other, fewer = Pooled("pooled, with other weights"), Pooled()
    run(dataset, tmp_path, PooledFD(other))
    run(dataset, tmp_path, PooledFD(fewer), limit=4)
    assert (sum(other.seen), sum(fewer.seen)) == (14, 8)


@pytest.mark.parametrize("damage", ["cut off", "a flipped bit", "other text"])
def test_a_damaged_file_is_made_again(dataset: Dataset, tmp_path: Path, damage: str) -> None:
    found = run(dataset, tmp_path, PooledFD(Pooled()))
    (path,) = tmp_path.glob("real-*.features")
    whole = path.read_bytes()
    flipped = bytes([whole[0] ^ 1]) + whole[1:]
    path.write_bytes({"cut off": whole[:-9], "a flipped bit": flipped, "other text": b"?" * len(whole)}[damage])
    pooled = Pooled()
    assert values(run(dataset, tmp_path, PooledFD(pooled))) == values(found)
    assert sum(pooled.seen) == 14
    assert path.read_bytes() == whole


def peak_bytes(metric: FeatureMetric, n: int, dim: int = 64, batch: int = 50) -> int:
    """The most that was held while n images were streamed, counted by the tensors that are alive."""
    rng = torch.Generator().manual_seed(0)
    most = 0
    tracemalloc.start()
    for _ in range(n // batch):
        metric.update_features(torch.randn(batch, dim, generator=rng), torch.randn(batch, dim, generator=rng))
        most = max(most, held_bytes(metric))
    _, python = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most + python


def held_bytes(thing: object) -> int:
    """Of all tensors that can be reached from an object's attributes."""
    if isinstance(thing, Tensor):
        return thing.untyped_storage().nbytes()  # what a view keeps alive, too
    if isinstance(thing, list | tuple):
        return sum(map(held_bytes, thing))
    return sum(map(held_bytes, vars(thing).values())) if hasattr(thing, "__dict__") else 0


@pytest.mark.parametrize("make", [lambda: PooledFD(Pooled()), lambda: PooledKID(Pooled(), subset_size=100)])
def test_a_hundred_times_as_many_images_take_no_more_memory(make) -> None:
    few, many = peak_bytes(make(), 500), peak_bytes(make(), 50_000)
    assert many <= 1.2 * few
