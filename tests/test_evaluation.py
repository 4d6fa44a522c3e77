from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from models import CountingEncoder, tiny_model
from zoo import registry
from zoo.data import Dataset
from zoo.errors import WeightsNotFoundError, ZooError
from zoo.evaluation import EvalConfig, evaluate
from zoo.metrics import Metric, Score
from zoo.samplers import SamplerConfig


class Recorder(Metric):
    """Keeps what it is shown."""

    def __init__(self) -> None:
        self.pred: list[Tensor] = []
        self.truth: list[Tensor] = []

    def names(self) -> dict[str, bool | None]:
        return {"n": None}

    def update(self, pred: Tensor, truth: Tensor) -> None:
        self.pred.append(pred)
        self.truth.append(truth)

    def compute(self) -> list[Score]:
        return [Score("n", float(sum(len(p) for p in self.pred)), None)]


class Absent(Recorder):
    def prepare(self, device: str) -> None:
        raise WeightsNotFoundError("no weights here")


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return registry.datasets.create("synthetic", n_train=4, n_val=2, n_test=5, size=32)


def run(dataset: Dataset, tmp_path: Path, *metrics: Metric, encoder: str = "unet", **config: int):
    model = tiny_model(encoder)
    rng = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for p in model.parameters():
            p.add_((p == 0) * 0.1 * torch.randn(p.shape, generator=rng))
    return evaluate(model, dataset, metrics, SamplerConfig(steps=2), EvalConfig(**config), cache_dir=tmp_path)


def test_metrics_see_each_test_image_once_beside_its_truth(dataset: Dataset, tmp_path: Path) -> None:
    recorder = Recorder()
    evaluation = run(dataset, tmp_path, recorder, batch_size=2)
    assert evaluation.scores == [Score("n", 5.0, None)]
    assert evaluation.n_images == 5
    pred, truth = torch.cat(recorder.pred), torch.cat(recorder.truth)
    assert pred.shape == truth.shape == (5, 3, 16, 16)
    assert pred.min() >= 0
    assert pred.max() <= 1


def test_the_colouring_does_not_depend_on_the_batch_size(dataset: Dataset, tmp_path: Path) -> None:
    one, all_ = Recorder(), Recorder()
    run(dataset, tmp_path, one, batch_size=1)
    run(dataset, tmp_path, all_, batch_size=8)
    torch.testing.assert_close(torch.cat(one.pred), torch.cat(all_.pred), atol=1e-4, rtol=1e-4)


def test_a_metric_without_weights_is_a_hole_with_its_reason(dataset: Dataset, tmp_path: Path) -> None:
    evaluation = run(dataset, tmp_path, Absent(), Recorder())
    assert evaluation.scores == [Score("n", None, None, note="no weights here"), Score("n", 5.0, None)]


def test_each_image_is_encoded_once_for_its_score(dataset: Dataset, tmp_path: Path) -> None:
    CountingEncoder.seen = 0
    run(dataset, tmp_path, Recorder(), encoder="counting", strips=1)
    assert CountingEncoder.seen == 5 + 1  # and once more for the picture


def test_strips_show_grey_samples_that_differ_and_truth(dataset: Dataset, tmp_path: Path) -> None:
    strips = run(dataset, tmp_path, samples=3, strips=2).strips
    assert strips.shape == (2, 5, 16, 16, 3)
    assert strips.dtype == np.uint8
    grey, first, second, truth = strips[:, 0], strips[:, 1], strips[:, 2], strips[:, 4]
    assert np.ptp(grey.astype(int), axis=-1).max() <= 1
    assert not np.array_equal(first, second)
    assert np.ptp(truth.astype(int), axis=-1).max() > 10


def test_a_limit_scores_fewer_images_and_names_other_data(dataset: Dataset, tmp_path: Path) -> None:
    whole, part = run(dataset, tmp_path), run(dataset, tmp_path, limit=3)
    assert part.n_images == 3
    assert part.manifest != whole.manifest


@pytest.mark.parametrize("options", [{"split": "all"}, {"limit": 0}, {"batch_size": 0}, {"samples": 0}])
def test_impossible_evaluations_are_refused(options: dict) -> None:
    with pytest.raises(ZooError, match=r"eval\."):
        EvalConfig(**options)
