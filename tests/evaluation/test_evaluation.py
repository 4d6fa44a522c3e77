import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from support.models import CountingEncoder, tiny_model
from zoo import registry
from zoo.cache.images import View, open_images
from zoo.data import Dataset, name_hash
from zoo.diffusion.samplers import SamplerConfig
from zoo.errors import WeightsNotFoundError, ZooError
from zoo.evaluation.evaluate import EvalConfig, evaluate
from zoo.faces.framing import Box
from zoo.features import Features
from zoo.methods import Method, OpenView, Photos
from zoo.methods.diffusion import DiffusionMethod
from zoo.metrics import Metric, Score
from zoo.metrics._frechet import FrechetMetric


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
    def load(self, device: str) -> None:
        raise WeightsNotFoundError("no weights here")


class Pairs(Recorder):
    """Wants two samples of the first three images."""

    samples, images = 2, 3

    def __init__(self) -> None:
        super().__init__()
        self.sampled: list[Tensor] = []

    def update_samples(self, samples: Tensor, truth: Tensor) -> None:
        self.sampled.append(samples)
        self.truth.append(truth)

    def compute(self) -> list[Score]:
        values = torch.cat(self.truth).mean(dim=(1, 2, 3))
        return [Score("n", values.mean().item(), None, per_image=values)]


class Brightness(Recorder):
    """Of the truths, image by image."""

    def compute(self) -> list[Score]:
        values = torch.cat(self.truth).mean(dim=(1, 2, 3))
        return [Score("n", values.mean().item(), None, per_image=values)]


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return registry.datasets.create("synthetic", n_train=4, n_val=2, n_test=5, size=32)


def run(dataset: Dataset, tmp_path: Path, *metrics: Metric, encoder: str = "unet", **config: int):
    model = tiny_model(encoder)
    rng = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for p in model.parameters():
            p.add_((p == 0) * 0.1 * torch.randn(p.shape, generator=rng))
    colorer = DiffusionMethod(model, SamplerConfig(steps=2))
    return evaluate(colorer, dataset, metrics, EvalConfig(**config), image_size=16, cache_dir=tmp_path)


def test_metrics_see_each_test_image_once_beside_its_truth(dataset: Dataset, tmp_path: Path) -> None:
    recorder = Recorder()
    evaluation = run(dataset, tmp_path, recorder, batch_size=2)
    assert evaluation.scores == [Score("n", 5.0, None)]
    assert evaluation.n_images == 5
    pred, truth = torch.cat(recorder.pred), torch.cat(recorder.truth)
    assert pred.shape == truth.shape == (5, 3, 16, 16)
    assert pred.min() >= 0
    assert pred.max() <= 1


def test_metrics_are_told_where_faces_lie_in_the_data_set_before_they_load(dataset: Dataset, tmp_path: Path) -> None:
    class Looking(Recorder):
        def locate_faces(self, find: Callable[[], Box | None]) -> None:
            self.found = find()

        def load(self, device: str) -> None:
            self.known = self.found

    metric = Looking()
    run(dataset, tmp_path, metric)
    assert metric.known == dataset.face_box is not None


def test_the_coloring_does_not_depend_on_the_batch_size(dataset: Dataset, tmp_path: Path) -> None:
    one, all_ = Recorder(), Recorder()
    run(dataset, tmp_path, one, batch_size=1)
    run(dataset, tmp_path, all_, batch_size=8)
    torch.testing.assert_close(torch.cat(one.pred), torch.cat(all_.pred), atol=1e-4, rtol=1e-4)


def test_a_metric_without_weights_is_a_hole_with_its_reason(dataset: Dataset, tmp_path: Path) -> None:
    evaluation = run(dataset, tmp_path, Absent(), Recorder())
    assert evaluation.scores == [Score("n", None, None, note="no weights here"), Score("n", 5.0, None)]


def test_each_image_is_encoded_once_however_often_it_is_sampled(dataset: Dataset, tmp_path: Path) -> None:
    CountingEncoder.seen = 0
    run(dataset, tmp_path, Recorder(), Pairs(), encoder="counting", grid=3, batch_size=2)
    assert CountingEncoder.seen == 5


def test_samples_of_an_image_differ_and_the_first_is_the_one_that_all_metrics_see(
    dataset: Dataset, tmp_path: Path
) -> None:
    recorder, pairs = Recorder(), Pairs()
    run(dataset, tmp_path, recorder, pairs, batch_size=2)
    samples = torch.cat(pairs.sampled, dim=1)
    assert samples.shape == (2, 3, 3, 16, 16)
    assert not pairs.pred
    torch.testing.assert_close(samples[0], torch.cat(recorder.pred)[:3])
    assert not torch.allclose(samples[0], samples[1], atol=0.05)


def test_what_more_samples_some_metric_sees_changes_no_other_score(dataset: Dataset, tmp_path: Path) -> None:
    alone, beside = Recorder(), Recorder()
    run(dataset, tmp_path, alone)
    run(dataset, tmp_path, beside, Pairs(), batch_size=3)
    torch.testing.assert_close(torch.cat(alone.pred), torch.cat(beside.pred), atol=1e-4, rtol=1e-4)


class Slow(Method):
    """Grey; encoding takes 2 s and sampling 3, by a clock of its own."""

    def __init__(self) -> None:
        self.now = 0.0

    def open(self, dataset: Dataset, open_view: OpenView, image_size: int, device: str) -> None:
        pass

    def encode(self, photos: Photos) -> Features:
        self.now += 2
        return Features((), None)

    def sample(self, photos: Photos, features: Features, generators: Sequence[torch.Generator]) -> Tensor:
        self.now += 3
        return torch.zeros_like(photos.ab)


def test_the_time_of_an_image_is_that_of_encoding_and_sampling_it_once(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow()
    monkeypatch.setattr(time, "perf_counter", lambda: slow.now)
    evaluation = evaluate(slow, dataset, [Recorder()], EvalConfig(samples=9), image_size=16, cache_dir=tmp_path)
    assert evaluation.n_images * evaluation.seconds_per_image == pytest.approx(2 + 3)  # in one batch; 9 samples: 29


def test_values_per_image_are_in_the_order_of_the_keys_and_nan_for_images_that_were_not_measured(
    dataset: Dataset, tmp_path: Path
) -> None:
    evaluation = run(dataset, tmp_path, Brightness(), Pairs(), batch_size=2)
    every, some = (score.per_image for score in evaluation.scores)
    images = open_images(dataset, "test", View(16), tmp_path, drop_grey=False)
    expected = torch.from_numpy(images.images / 255).mean(dim=(1, 2, 3))
    assert evaluation.keys == images.keys
    torch.testing.assert_close(every, expected, atol=1e-6, rtol=0)
    measured = ~some.isnan()
    assert measured.tolist() == [key in sorted(images.keys, key=name_hash)[:3] for key in images.keys]
    torch.testing.assert_close(some[measured], expected[measured], atol=1e-6, rtol=0)
    assert [score.note for score in evaluation.scores] == ["", "3 of 5 images have a value"]
    assert evaluation.scores[1].value == pytest.approx(some[measured].mean().item())


def test_the_sample_grid_is_of_the_same_images_and_noise_whatever_the_batches(dataset: Dataset, tmp_path: Path) -> None:
    one, all_ = (run(dataset, tmp_path, grid=3, batch_size=size) for size in (1, 8))
    assert one.grid_keys == all_.grid_keys == tuple(sorted(sorted(one.keys, key=name_hash)[:3]))
    assert np.abs(one.sample_grid.astype(int) - all_.sample_grid).max() <= 1
    images = open_images(dataset, "test", View(16), tmp_path, drop_grey=False)
    shown = images.batch(np.array([images.keys.index(key) for key in one.grid_keys]))
    np.testing.assert_array_equal(one.sample_grid[:, -1], shown)


def test_the_sample_grid_shows_grey_samples_that_differ_and_truth(dataset: Dataset, tmp_path: Path) -> None:
    grid = run(dataset, tmp_path, samples=3, grid=2).sample_grid
    assert grid.shape == (2, 5, 16, 16, 3)
    assert grid.dtype == np.uint8
    grey, first, second, truth = grid[:, 0], grid[:, 1], grid[:, 2], grid[:, 4]
    assert np.ptp(grey.astype(int), axis=-1).max() <= 1
    assert not np.array_equal(first, second)
    assert np.ptp(truth.astype(int), axis=-1).max() > 10


def test_a_limit_scores_fewer_images_and_names_other_data(dataset: Dataset, tmp_path: Path) -> None:
    whole, part = run(dataset, tmp_path), run(dataset, tmp_path, limit=3)
    assert part.n_images == 3
    assert part.manifest != whole.manifest


@pytest.mark.parametrize(
    ("name", "value"), [("split", "all"), ("limit", 0), ("batch_size", 0), ("samples", 0), ("grid", 0)]
)
def test_impossible_evaluations_are_refused(name: str, value: object) -> None:
    with pytest.raises(ZooError, match=f"^{name} must be"):
        EvalConfig(**{name: value})  # type: ignore[arg-type]


class MeanColor:
    identity = "mean colour"

    def __call__(self, rgb: Tensor) -> Tensor:
        return rgb.mean(dim=(2, 3))


class AllSamples(Pairs):
    """Wants three samples of all images."""

    samples, images = 3, None


class PixelFD(FrechetMetric):
    """On mean colours."""

    name = "fd_pixels"

    def load(self, device: str) -> None:
        self.extractor = MeanColor()


def test_metrics_of_sets_see_each_sampling_for_itself_and_tell_mean_and_each(dataset: Dataset, tmp_path: Path) -> None:
    recorder = AllSamples()
    both = run(dataset, tmp_path, PixelFD(), recorder, seeds=3, batch_size=2)
    score = both.scores[0]
    samplings = torch.cat(recorder.sampled, dim=1)
    expected = []
    for colored in samplings:
        alone = PixelFD()
        alone.load("cpu")
        alone.update(colored, torch.cat(recorder.truth))
        expected.append(alone.compute()[0].value)
    assert score.samplings == pytest.approx(expected)
    assert score.value == pytest.approx(sum(expected) / 3)
    assert score.note.startswith("3 samplings: ")


def test_one_sampling_is_no_mean(dataset: Dataset, tmp_path: Path) -> None:
    score = run(dataset, tmp_path, PixelFD()).scores[0]
    assert (score.samplings, score.note) == ((), "")


def test_more_samplings_change_no_score_of_single_images(dataset: Dataset, tmp_path: Path) -> None:
    one, three = (run(dataset, tmp_path, registry.metrics.create("psnr"), PixelFD(), seeds=n).scores[0] for n in (1, 3))
    assert one.value == three.value
