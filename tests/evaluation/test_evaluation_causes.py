"""What a score depends on: which photos, seen how, with which noise, and whose values are whose."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from support.models import tiny_model
from support.opened import opened
from zoo.cache.images import ImageCache, View, open_images
from zoo.color.lab import lab_to_rgb, uint8_to_lab, uint8_to_lightness
from zoo.data import Dataset, Split, name_hash
from zoo.data.synthetic import Synthetic
from zoo.diffusion.samplers import SamplerConfig
from zoo.evaluation.evaluate import EvalConfig, evaluate, generator_of
from zoo.evaluation.scorer import by_group, in_order
from zoo.faces.framing import Box
from zoo.features import Features
from zoo.methods import Photos
from zoo.methods.diffusion import DiffusionMethod
from zoo.metrics import Metric, Score
from zoo.registry import datasets
from zoo.training.config import TrainConfig
from zoo.training.diffusion import open_batches

FRAME = Box(0.1, 0.05, 0.6)


class Seen(Metric):
    """Keeps the colourings and truths that it is shown."""

    def __init__(self, images: int | None = None) -> None:
        self.images = images
        self.found: list[Tensor] = []
        self.real: list[Tensor] = []

    def names(self) -> dict[str, bool | None]:
        return {"seen": None}

    def update(self, pred: Tensor, truth: Tensor) -> None:
        self.found += [*pred]
        self.real += [*truth]

    def compute(self) -> list[Score]:
        values = torch.stack(self.real).mean(dim=(1, 2, 3))
        return [Score("seen", values.mean().item(), None, per_image=values)]


class Several(Seen):
    """Wants three samples, and keeps none."""

    samples = 3

    def update_samples(self, samples: Tensor, truth: Tensor) -> None:
        self.real += [*truth]


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return datasets.create("synthetic", n_train=4, n_val=3, n_test=5, size=32)


def scored(dataset: Dataset, folder: Path, *metrics: Metric, size: int = 16, **config: object) -> list[Score]:
    colorer = DiffusionMethod(opened(tiny_model(image_size=size)).eval(), SamplerConfig(steps=1))
    options = EvalConfig(**{"grid": 1, "samples": 1, **config})  # type: ignore[arg-type]
    return evaluate(colorer, dataset, metrics, options, image_size=size, cache_dir=folder).scores


def images_of(dataset: Dataset, folder: Path, split: Split, view: View) -> ImageCache:
    return open_images(dataset, split, view, folder, drop_grey=False)


def as_truth(images: ImageCache) -> Tensor:
    return torch.from_numpy(np.array(images.images)).permute(0, 3, 1, 2).float() / 255


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_the_split_that_was_asked_for_is_scored(dataset: Dataset, tmp_path: Path, split: Split) -> None:
    metric = Seen()
    scored(dataset, tmp_path, metric, split=split)
    truths = as_truth(images_of(dataset, tmp_path, split, View(16)))
    order = sorted(range(len(truths)), key=lambda i: name_hash(dataset.keys(split)[i]))
    torch.testing.assert_close(torch.stack(metric.real), truths[order])


def test_photos_are_shown_in_the_order_of_a_hash_of_their_names(dataset: Dataset, tmp_path: Path) -> None:
    metric = Seen(images=2)
    (score,) = scored(dataset, tmp_path, metric, batch_size=3)
    first = sorted(dataset.keys("test"), key=name_hash)[:2]
    assert score.per_image is not None
    known = [key for key, value in zip(dataset.keys("test"), score.per_image) if not value.isnan()]
    assert known == sorted(first)
    assert len(metric.real) == 2


def test_grey_photos_are_scored_too(tmp_path: Path) -> None:
    class Faded(Synthetic):
        def load(self, key: str) -> np.ndarray:
            image = super().load(key)
            return image[..., :1].repeat(3, axis=2) if key.endswith("1") else image

        def signature(self, split: Split) -> str:
            return "faded" + super().signature(split)

    metric = Seen()
    scored(Faded(n_train=2, n_val=2, n_test=3, size=32), tmp_path, metric)
    assert len(metric.real) == 3


def test_a_metric_is_shown_the_first_sample_whatever_others_ask_for(dataset: Dataset, tmp_path: Path) -> None:
    alone, beside = Seen(), Seen()
    scored(dataset, tmp_path, alone)
    scored(dataset, tmp_path, Several(), beside, batch_size=2)
    torch.testing.assert_close(torch.stack(beside.found), torch.stack(alone.found), rtol=1e-4, atol=1e-4)


def test_another_seed_of_noise_colors_otherwise(dataset: Dataset, tmp_path: Path) -> None:
    one, again, other = Seen(), Seen(), Seen()
    for metric, seed in ((one, 0), (again, 0), (other, 1)):
        scored(dataset, tmp_path, metric, seed=seed)
    assert torch.equal(torch.stack(one.found), torch.stack(again.found))
    assert not torch.allclose(torch.stack(one.found), torch.stack(other.found), atol=0.01)


@pytest.mark.parametrize("given", [(1, "a", 0), (0, "b", 0), (0, "a", 1)])
def test_noise_depends_on_the_seed_the_photo_and_the_sample(given: tuple[int, str, int]) -> None:
    def noise(seed: int, key: str, sample: int) -> Tensor:
        return torch.randn(8, generator=generator_of(seed, key, sample))

    assert torch.equal(noise(0, "a", 0), noise(0, "a", 0))
    assert not torch.equal(noise(0, "a", 0), noise(*given))


def test_a_photo_is_colored_with_its_own_features_and_noise(dataset: Dataset, tmp_path: Path) -> None:
    metric = Seen()
    scored(dataset, tmp_path, metric, batch_size=2)
    model = opened(tiny_model()).eval()
    for key, found in zip(sorted(dataset.keys("test"), key=name_hash), metric.found, strict=True):
        images = images_of(dataset, tmp_path, "test", View(16))
        L, _ = uint8_to_lab(torch.from_numpy(images.batch(np.array([images.keys.index(key)]))))
        ab = model.colorize(L, model.encode(L), SamplerConfig(steps=1), [generator_of(0, key, 0)])
        torch.testing.assert_close(found, lab_to_rgb(L, ab)[0], rtol=0, atol=1e-3)


def photos_of(dataset: Dataset, folder: Path, size: int = 32) -> Photos:
    images = images_of(dataset, folder, "test", View(size))
    L = uint8_to_lightness(torch.from_numpy(np.array(images.images)))
    return Photos(np.arange(len(images)), L, torch.zeros(len(images), 2, size, size))


def test_an_encoder_with_a_frame_sees_it_when_photos_are_colored_as_it_did_in_training(
    dataset: Dataset, tmp_path: Path
) -> None:
    model = tiny_model(image_size=32)
    model.encoder.frame = FRAME
    colorer = DiffusionMethod(model, SamplerConfig(steps=1))
    colorer.open(dataset, lambda view: images_of(dataset, tmp_path, "test", view), 32, "cpu")
    found = colorer.encode(photos_of(dataset, tmp_path))
    assert dataset.face_box is not None
    box = dataset.face_box.of(FRAME)
    views = images_of(dataset, tmp_path, "test", View(32, box, grey=True))
    expected: Features = model.encode(uint8_to_lightness(torch.from_numpy(np.array(views.images))), box)
    for a, b in zip(found.maps, expected.maps, strict=True):
        torch.testing.assert_close(a, b)
    trained = open_batches(model, dataset, TrainConfig(flip=False), seed=0, cache_dir=tmp_path)
    assert trained.box == box


def test_an_encoder_without_a_frame_sees_the_photo(dataset: Dataset, tmp_path: Path) -> None:
    model = tiny_model(image_size=32)
    colorer = DiffusionMethod(model, SamplerConfig(steps=1))
    colorer.open(dataset, lambda view: images_of(dataset, tmp_path, "test", view), 32, "cpu")
    photos = photos_of(dataset, tmp_path)
    for a, b in zip(colorer.encode(photos).maps, model.encode(photos.L).maps, strict=True):
        torch.testing.assert_close(a, b)


# whose values are whose


def test_values_come_back_to_the_images_that_they_are_of() -> None:
    score = Score("n", 1.0, None, per_image=torch.tensor([10.0, 20.0, 30.0]))
    found = in_order(score, np.array([2, 0, 1]))
    assert found.per_image is not None
    assert found.per_image.tolist() == [20.0, 30.0, 10.0]


def test_the_mean_of_a_group_is_over_its_images_that_have_a_value() -> None:
    values = torch.tensor([1.0, 2.0, 4.0, float("nan"), 7.0])
    score = Score("error", 3.5, False, per_image=values)
    found = by_group([score], ["a", "b", "a", "a", None])
    assert [(s.name, s.value, s.note) for s in found] == [
        ("error[a]", 2.5, "2 images, 95 % interval -16.56 to 21.56"),
        ("error[b]", 2.0, "1 image"),
    ]
    assert all(s.higher_is_better is False for s in found)


def test_a_group_without_any_value_is_a_hole() -> None:
    score = Score("error", 1.0, False, per_image=torch.tensor([1.0, float("nan")]))
    assert [s.value for s in by_group([score], ["a", "b"])] == [1.0, None]


@pytest.mark.parametrize("asks", [True, False])
def test_groups_are_told_apart_where_a_metric_asks_for_it(dataset: Dataset, tmp_path: Path, asks: bool) -> None:
    class Grouped(Synthetic):
        def group(self, key: str) -> str | None:
            return "odd" if int(key[-1]) % 2 else "even"

    metric = Seen()
    metric.by_group = asks  # type: ignore[misc]
    found = scored(Grouped(n_train=4, n_val=3, n_test=5, size=32), tmp_path, metric)
    assert [score.name for score in found] == ["seen", *(["seen[even]", "seen[odd]"] if asks else [])]
    if asks:
        assert found[0].per_image is not None
        assert found[1].value == pytest.approx(found[0].per_image[[0, 2, 4]].mean().item())
        assert found[2].value == pytest.approx(found[0].per_image[[1, 3]].mean().item())
