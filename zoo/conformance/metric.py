"""Checks of every metric; see `zoo.metrics.Metric`. It is shown small painted faces."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor

from zoo.conformance._tensors import demand_unobtrusive
from zoo.conformance.checks import Broken, Check, Moot, Subject, demand
from zoo.errors import ZooError
from zoo.metrics import FeatureMetric, Metric, Score

IMAGES, SIDE = 6, 64
RTOL, ATOL = 1e-3, 1e-4


class MetricSubject(Subject):
    """A metric to look at."""

    @cached_property
    def absent(self) -> str | None:
        """Why it cannot be prepared, if it cannot: its weights are not here."""
        try:
            self.build().load(self.device)
        except ZooError as reason:
            return str(reason)
        return None

    @cached_property
    def truth(self) -> Tensor:
        """(N, 3, H, W) sRGB in [0, 1], real enough for metrics that look for skin."""
        from zoo.registry import datasets

        faces = datasets.create("synthetic", n_train=1, n_val=1, n_test=IMAGES, size=SIDE)
        images = torch.stack([torch.from_numpy(faces.load(key)) for key in faces.keys("test")])
        return images.permute(0, 3, 1, 2).float().to(self.device) / 255

    @cached_property
    def wrong(self) -> Tensor:
        """The same pictures with their colours exchanged, each by another degree."""
        share = torch.linspace(0.3, 1, IMAGES, device=self.device)[:, None, None, None]
        return torch.lerp(self.truth, self.truth[:, [2, 0, 1]], share)

    def scores(self, pred: Tensor, truth: Tensor, batches: Sequence[Sequence[int]]) -> dict[str, Score]:
        """What it makes of the images, batch by batch."""
        metric = self.prepared()
        for batch in batches:
            show(metric, pred[list(batch)], truth[list(batch)])
        return {score.name: score for score in metric.compute()}

    def prepared(self) -> Metric:
        """Raises `Moot` where what it needs is not here."""
        if self.absent is not None:
            raise Moot("not without what it needs")
        metric = self.build()
        metric.load(self.device)
        return metric

    @cached_property
    def usual(self) -> dict[str, Score]:
        """Its scores of all the wrong pictures at once."""
        return self.scores(self.wrong, self.truth, (range(IMAGES),))


def show(metric: Metric, pred: Tensor, truth: Tensor) -> None:
    """Colourings and truths (N, 3, H, W), to a metric of samples with others between them: none if they are equal."""
    if metric.samples == 1:
        metric.update(pred, truth)
    else:
        metric.update_samples(_samples(pred, truth, metric.samples), truth)


def names_its_scores(subject: MetricSubject) -> str:
    metric = subject.build()
    demand(isinstance(metric, Metric), f"{type(metric).__qualname__} is no zoo.Metric")
    names = metric.names()
    demand(bool(names), "names() is empty")
    bad = [name for name, better in names.items() if better not in (True, False, None) or not isinstance(name, str)]
    demand(not bad, f"names() must give names → True, False or None, not {names}")
    signs = {True: "↑", False: "↓", None: ""}
    return " ".join(f"{name}{signs[better]}" for name, better in names.items())


def asks_for_samples_that_it_takes_in(subject: MetricSubject) -> str:
    metric = subject.build()
    samples, images = metric.samples, metric.images
    demand(type(samples) is int and samples >= 1, f"samples is {samples!r}; expected an integer, at least 1")
    demand(
        images is None or (type(images) is int and images >= 1),
        f"images is {images!r}; expected None or an integer, at least 1",
    )
    takes_in = type(metric).update_samples is not Metric.update_samples
    demand(samples == 1 or takes_in, f"it asks for {samples} samples; implement update_samples()")
    return f"{samples} of {'each image' if images is None else f'{images} images'}" if samples > 1 else ""


def leaves_a_hole_with_its_reason_for_each_name(subject: MetricSubject) -> None:
    metric = subject.build()
    missing = metric.missing("no weights")
    _demand_named(metric, missing)
    whole = [score.name for score in missing if score.value is not None or score.note != "no weights"]
    demand(not whole, f"missing() gives {whole[:1]} a value, or another note than the reason")


def finds_what_it_needs(subject: MetricSubject) -> None:
    if subject.absent is not None:
        raise Moot(subject.absent)


def gives_the_scores_that_it_names(subject: MetricSubject) -> str:
    scores = subject.usual
    _demand_named(subject.build(), list(scores.values()))
    for score in scores.values():
        demand(score.value is not None or bool(score.note), f"{score.name} has neither a value nor a note")
        demand(score.value is None or math.isfinite(score.value), f"{score.name} is {score.value}")
    return " ".join(f"{name}={score.value:.4g}" for name, score in scores.items() if score.value is not None)


def gives_the_mean_of_its_values_per_image(subject: MetricSubject) -> None:
    scores = subject.usual
    single = {name: score.per_image for name, score in scores.items() if score.per_image is not None}
    if not single:
        raise Moot("it has no values per image")
    for name, values in single.items():
        demand(tuple(values.shape) == (IMAGES,), f"{name}: per_image is {tuple(values.shape)}, not ({IMAGES},)")
        mean, value = values.nanmean().item(), scores[name].value
        demand(value is not None and _close(mean, value), f"{name} is {value}, but the mean of its values {mean}")


def gives_a_hole_without_images(subject: MetricSubject) -> None:
    scores = subject.scores(subject.wrong, subject.truth, ())
    _demand_named(subject.build(), list(scores.values()))
    filled = [name for name, score in scores.items() if score.value is not None]
    demand(not filled, f"{filled[:1]} has a value after no image at all")


def gives_the_same_in_any_batches_and_order(subject: MetricSubject) -> None:
    other = subject.scores(subject.wrong, subject.truth, (range(2, IMAGES), range(2)))
    for name, score in subject.usual.items():
        a, b = score.value, other[name].value
        same = a is b if a is None or b is None else _close(a, b)
        demand(same, f"{name} is {a} for all images at once, {b} for the last ones and then the first")


def gives_the_same_for_features_as_for_images(subject: MetricSubject) -> str:
    metric, other = subject.prepared(), subject.prepared()
    if not isinstance(metric, FeatureMetric) or not isinstance(other, FeatureMetric):
        raise Moot("it is no zoo.metrics.FeatureMetric")
    identity = metric.extractor.identity
    demand(isinstance(identity, str) and bool(identity), f"its extractor's identity is {identity!r}; expected a text")
    demand(identity == other.extractor.identity, "its extractor has another identity each time it is prepared")
    pred, truth = metric.extractor(subject.wrong), metric.extractor(subject.truth)
    shapes = f"{tuple(pred.shape)} and {tuple(truth.shape)}"
    alike = pred.ndim == 2 and len(pred) == IMAGES and pred.shape == truth.shape
    demand(alike, f"features of {IMAGES} images are {shapes}; expected (N, D)")
    metric.update_features(pred, truth)
    for score in metric.compute():
        a, b = score.value, subject.usual[score.name].value
        same = a is b if a is None or b is None else _close(a, b)
        demand(same, f"{score.name} is {a} of the features, {b} of the images")
    return f"{pred.shape[1]} numbers"


def scores_identical_pictures_best(subject: MetricSubject) -> None:
    wrong = subject.usual
    same = subject.scores(subject.truth, subject.truth, (range(IMAGES),))
    ranked = {n: better for n, better in subject.build().names().items() if better is not None}
    if not ranked:
        raise Moot("none of its scores has a better side")
    for name, higher_is_better in ranked.items():
        a, b = same[name].value, wrong[name].value
        if a is None or b is None:
            continue
        worse = a < b if higher_is_better else a > b
        demand(not worse or _close(a, b), f"{name} is {a:.4g} for the truth itself, {b:.4g} for wrong colours")


def prints_nothing_and_sets_no_seed(subject: MetricSubject) -> None:
    demand_unobtrusive(lambda: subject.scores(subject.wrong, subject.truth, (range(2),)))


def leaves_its_input_as_it_was(subject: MetricSubject) -> None:
    pred, truth = subject.wrong.clone(), subject.truth.clone()
    metric = subject.prepared()
    if metric.samples == 1:
        metric.update(pred, truth)
        demand(torch.equal(pred, subject.wrong), "update() changes the colourings")
    else:
        samples = _samples(pred, truth, metric.samples)
        given = samples.clone()
        metric.update_samples(given, truth)
        demand(torch.equal(given, samples), "update_samples() changes the colourings")
    demand(torch.equal(truth, subject.truth), "it changes the truths")


SUBJECT = MetricSubject
CHECKS: tuple[Check[MetricSubject], ...] = (
    names_its_scores,
    asks_for_samples_that_it_takes_in,
    leaves_a_hole_with_its_reason_for_each_name,
    finds_what_it_needs,
    gives_the_scores_that_it_names,
    gives_the_mean_of_its_values_per_image,
    gives_a_hole_without_images,
    gives_the_same_in_any_batches_and_order,
    gives_the_same_for_features_as_for_images,
    scores_identical_pictures_best,
    prints_nothing_and_sets_no_seed,
    leaves_its_input_as_it_was,
)
COSTS: tuple[Check[MetricSubject], ...] = ()


def _samples(pred: Tensor, truth: Tensor, n: int) -> Tensor:
    """(n, N, 3, H, W), from the colourings half way to the truths."""
    return torch.stack([torch.lerp(pred, truth, 0.5 * i / n) for i in range(n)])


def _demand_named(metric: Metric, scores: Sequence[Score]) -> None:
    names = metric.names()
    found = [score.name for score in scores]
    demand(sorted(found) == sorted(names), f"names() has {sorted(names)}, the scores are {sorted(found)}")
    for score in scores:
        if score.higher_is_better is not names[score.name]:
            raise Broken(f"{score.name}: higher_is_better is {score.higher_is_better}, by names() {names[score.name]}")


def _close(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=RTOL, abs_tol=ATOL)
