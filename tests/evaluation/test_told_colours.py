"""The track of hints: true colours are told at places that a photo's name draws, and scores are named by how many."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor

import zoo
from support.models import CountingEncoder, tiny_model
from zoo.data import Dataset
from zoo.diffusion.samplers import SamplerConfig
from zoo.evaluation.evaluate import NO_HINTS, EvalConfig, evaluate
from zoo.features import Features
from zoo.methods import Method, Photos
from zoo.methods.diffusion import DiffusionMethod
from zoo.metrics import Metric, Score
from zoo.model import ColorDiffusion
from zoo.registry import datasets


class Oracle(Method):
    """Says what it is told, and grey elsewhere."""

    hints = True

    def __init__(self) -> None:
        self.told: dict[tuple[str, int], Tensor] = {}

    def sample(self, photos: Photos, features: Features, generators: Sequence[torch.Generator]) -> Tensor:
        ab = torch.zeros_like(photos.ab)
        if photos.hints is not None:
            side = ab.shape[-1]
            for i, (key, places) in enumerate(zip(photos.keys, photos.hints, strict=True)):
                self.told[key, len(places)] = places
                columns, rows = (places * side).long().unbind(dim=-1)
                ab[i, :, rows, columns] = photos.ab[i, :, rows, columns]
        return ab


class Groups(Metric):
    """Of each image 1, in two groups."""

    by_group = True

    def names(self) -> dict[str, bool | None]:
        return {"one": True}

    def update(self, pred: Tensor, truth: Tensor) -> None:
        self.n = len(pred)

    def compute(self) -> list[Score]:
        return [Score("one", 1.0, True, per_image=torch.ones(self.n))]


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return datasets.create("synthetic", n_train=4, n_val=2, n_test=5, size=32)


def psnr(hints: int | None) -> Metric:
    metric = zoo.create_metric("psnr")
    metric.hints = hints
    return metric


def scores(method: Method, dataset: Dataset, folder: Path, *metrics: Metric, **config: int) -> dict[str, Score]:
    options = EvalConfig(**{"grid": 1, "samples": 1, **config})  # type: ignore[arg-type]
    found = evaluate(method, dataset, metrics, options, image_size=32, cache_dir=folder).scores
    return {score.name: score for score in found}


def test_the_more_is_told_the_nearer_is_the_truth(dataset: Dataset, tmp_path: Path) -> None:
    found = scores(Oracle(), dataset, tmp_path, *map(psnr, (None, 0, 1, 20, 100, 2000)))
    assert list(found) == ["psnr", "psnr@0", "psnr@1", "psnr@20", "psnr@100", "psnr@2000"]
    values = [score.value for score in found.values()]
    assert values[0] == values[1]
    assert values[1:] == sorted(values[1:])
    assert values[-1] > values[1] + 3  # dB
    assert len({*values}) == 5


def test_places_depend_on_the_name_alone_and_few_are_the_first_of_many(dataset: Dataset, tmp_path: Path) -> None:
    one, other = Oracle(), Oracle()
    scores(one, dataset, tmp_path, psnr(5), psnr(20), batch_size=2)
    scores(other, dataset, tmp_path, psnr(20), seed=3)
    for key in dataset.keys("test"):
        assert torch.equal(one.told[key, 20], other.told[key, 20])
        assert torch.equal(one.told[key, 20][:5], one.told[key, 5])
    every = torch.stack([places for (_, n), places in one.told.items() if n == 20])
    assert len(every[:, 0].unique(dim=0)) == 5
    assert every.min() < 0.1
    assert every.max() > 0.9


def test_a_model_is_told_the_true_chroma_there_and_none_elsewhere(dataset: Dataset, tmp_path: Path) -> None:
    model = hinted(dataset)
    found = scores(DiffusionMethod(model, SamplerConfig(steps=1)), dataset, tmp_path, *map(psnr, (0, 5, 100)))
    values = [found[f"psnr@{n}"].value for n in (0, 5, 100)]
    assert values == sorted(values)
    assert values[2] > values[0] + 2  # dB


def hinted(dataset: Dataset) -> ColorDiffusion:
    """Says what it is told, whatever the noise, and grey elsewhere."""
    options = {"width": 32, "mults": [1, 1], "chroma_scale": 4, "hints": True}
    model = tiny_model("none", "none", denoiser=options, diffusion={"parameterisation": "x0"}, image_size=32)

    def say(module: torch.nn.Module, args: tuple, kwargs: dict, out: Tensor) -> Tensor:
        told = kwargs["hints"]
        return torch.zeros_like(out) if told is None else told[:, :2]

    model.denoiser.register_forward_hook(say, with_kwargs=True)
    return model.eval()


def test_a_method_that_cannot_be_told_leaves_a_hole_but_without_hints_it_is_scored(
    dataset: Dataset, tmp_path: Path
) -> None:
    plain = DiffusionMethod(tiny_model("none", "none", image_size=32), SamplerConfig(steps=1))
    found = scores(plain, dataset, tmp_path, *map(psnr, (None, 0, 5)))
    assert found["psnr@0"].value == found["psnr"].value is not None
    assert (found["psnr@5"].value, found["psnr@5"].note) == (None, NO_HINTS)


def test_an_image_is_encoded_once_for_all_numbers_of_hints(dataset: Dataset, tmp_path: Path) -> None:
    CountingEncoder.seen = 0
    options = {"width": 32, "mults": [1, 1], "chroma_scale": 4, "hints": True}
    model = tiny_model("counting", "concat", denoiser=options, image_size=32)
    scores(DiffusionMethod(model, SamplerConfig(steps=1)), dataset, tmp_path, *map(psnr, (None, 1, 5)))
    assert CountingEncoder.seen == 5


def test_groups_are_named_after_the_number_of_hints(dataset: Dataset, tmp_path: Path) -> None:
    class Grouped(type(dataset)):  # type: ignore[misc]
        def group(self, key: str) -> str | None:
            return "all"

    metric = Groups()
    metric.hints = 3
    found = scores(Oracle(), Grouped(n_train=4, n_val=2, n_test=5, size=32), tmp_path, metric)
    assert list(found) == ["one@3", "one@3[all]"]
