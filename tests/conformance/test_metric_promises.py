"""Each promise of a metric has one that breaks it, and is found to."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from torch import Tensor

import zoo
from support.conforming import broken
from zoo.conformance import assert_conforms
from zoo.metrics import Extractor, FeatureMetric, Metric, Score


class Distance(Metric):
    """Mean absolute difference; sound."""

    better: bool | None = False

    def __init__(self) -> None:
        self.values: list[Tensor] = []

    def names(self) -> dict[str, bool | None]:
        return {"distance": False}

    def update(self, pred: Tensor, truth: Tensor) -> None:
        self.values.append((pred - truth).abs().mean((1, 2, 3)))

    def compute(self) -> list[Score]:
        if not self.values:
            return self.missing("no images")
        values = torch.cat(self.values)
        return [Score("distance", self.value(values), self.better, per_image=values)]

    def value(self, values: Tensor) -> float:
        return values.mean().item()


class OtherSide(Distance):
    better = True


class UpsideDown(Distance):
    def update(self, pred: Tensor, truth: Tensor) -> None:
        self.values.append(1 - (pred - truth).abs().mean((1, 2, 3)))


class LastBatch(Distance):
    def update(self, pred: Tensor, truth: Tensor) -> None:
        self.values = []
        super().update(pred, truth)


class NotTheMean(Distance):
    def value(self, values: Tensor) -> float:
        return values.max().item()


class Spoils(Distance):
    def update(self, pred: Tensor, truth: Tensor) -> None:
        super().update(pred, truth)
        pred.zero_()


class Talks(Distance):
    def compute(self) -> list[Score]:
        sys.stderr.write("scoring")
        return super().compute()


class SeedsNumpy(Distance):
    def update(self, pred: Tensor, truth: Tensor) -> None:
        np.random.seed(0)
        super().update(pred, truth)


class Spread(Distance):
    """Of samples; sound."""

    samples = 3

    def update_samples(self, samples: Tensor, truth: Tensor) -> None:
        self.values.append((samples - truth).abs().mean((0, 2, 3, 4)))


class TakesNone(Distance):
    samples = 2


class HalfAnImage(Distance):
    images = 0


class SpoilsSamples(Spread):
    def update_samples(self, samples: Tensor, truth: Tensor) -> None:
        super().update_samples(samples, truth)
        samples.zero_()


class MeanColor:
    identity = "mean colour"

    def __call__(self, rgb: Tensor) -> Tensor:
        return rgb.mean((2, 3))


class ColorDistance(FeatureMetric):
    """Of the images' mean colours; sound."""

    extractor: Extractor = MeanColor()

    def __init__(self) -> None:
        self.values: list[Tensor] = []

    def names(self) -> dict[str, bool | None]:
        return {"distance": False}

    def update_features(self, pred: Tensor, truth: Tensor) -> None:
        self.values.append((pred - truth).norm(dim=1))

    def compute(self) -> list[Score]:
        if not self.values:
            return self.missing("no images")
        values = torch.cat(self.values)
        return [Score("distance", values.mean().item(), False, per_image=values)]


class LooksElsewhere(ColorDistance):
    def update(self, pred: Tensor, truth: Tensor) -> None:
        self.update_features(pred.amax((2, 3)), truth.amax((2, 3)))


class Nameless(ColorDistance):
    def load(self, device: str) -> None:
        self.extractor = MeanColor()
        self.extractor.identity = str(id(self))


@pytest.mark.parametrize(
    ("cls", "check"),
    [
        (TakesNone, "asks for samples that it takes in"),
        (HalfAnImage, "asks for samples that it takes in"),
        (SpoilsSamples, "leaves its input as it was"),
        (LooksElsewhere, "gives the same for features as for images"),
        (Nameless, "gives the same for features as for images"),
        (OtherSide, "gives the scores that it names"),
        (UpsideDown, "scores identical pictures best"),
        (LastBatch, "gives the same in any batches and order"),
        (NotTheMean, "gives the mean of its values per image"),
        (Spoils, "leaves its input as it was"),
        (Talks, "prints nothing and sets no seed"),
        (SeedsNumpy, "prints nothing and sets no seed"),
    ],
)
def test_a_broken_promise_of_a_metric_is_found(cls: type[Metric], check: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check in broken(monkeypatch, "metric", cls)


@pytest.mark.parametrize("cls", [Distance, Spread, ColorDistance])
def test_a_sound_metric_breaks_none(cls: type[Metric], monkeypatch: pytest.MonkeyPatch) -> None:
    assert broken(monkeypatch, "metric", cls) == {}


@pytest.mark.parametrize("name", zoo.list_metrics())
def test_every_metric_keeps_its_contract(name: str) -> None:
    assert_conforms("metric", name)
