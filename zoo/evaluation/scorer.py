"""Shows colourings to metrics, batch by batch, and brings what they say into the order of the images."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from zoo.errors import ZooError
from zoo.evaluation.real_features import RealFeatures
from zoo.evaluation.trial import demand_named
from zoo.metrics import Extractor, FeatureMetric, Metric, Score, at, mean_score, spread
from zoo.plugins import blame
from zoo.registry import failure

OpenRealFeatures = Callable[[Extractor], RealFeatures]


class Scorer:
    """Metrics of images that are shown in the order of their *places* 0, 1, 2, …, which must be a random one: a
    metric that wants to see only so many gets the first.

    Args:
        metrics: one that cannot be had, or fails on the way, becomes a hole with its reason.
        device: where they compute.
        open_real: the real images' features, at the same places.
        samplings: metrics of features see so many samplings of all images, each for itself, and tell their mean.
    """

    def __init__(self, metrics: Sequence[Metric], device: str, open_real: OpenRealFeatures, samplings: int = 1) -> None:
        self._metrics, self._samplings = metrics, samplings
        self._again: dict[int, list[FeatureMetric]] = {}  # of each metric of sets, one for each further sampling
        self._ready: list[Metric] = []
        self._missing: dict[int, list[Score]] = {}
        self._real: dict[str, RealFeatures] = {}  # by the identity of their extractor
        for metric in metrics:
            if isinstance(metric, FeatureMetric):
                self._again[id(metric)] = [copy.deepcopy(metric) for _ in range(samplings - 1)]
            self._ready.append(metric)
            with self._surviving(metric):
                metric.load(device)
        for metric in self._ready:
            with self._surviving(metric, refusals=False):  # a cache that cannot be written is not the metric's fault
                if isinstance(metric, FeatureMetric) and metric.extractor.identity not in self._real:
                    self._real[metric.extractor.identity] = open_real(metric.extractor)

    def samples(self, place: int) -> int:
        """How many colourings of the image at ``place`` the metrics want to see."""
        wanted = [
            max(m.samples, self._samplings if isinstance(m, FeatureMetric) else 1)
            for m in self._ready
            if m.images is None or place < m.images
        ]
        return max(wanted, default=1)

    def update(self, colored: Sequence[Tensor], truth: Tensor, start: int) -> None:
        """Take in the images at the places from ``start``.

        Args:
            coloured: samples, each (n, 3, H, W) sRGB in [0, 1], of the first n that `samples` asks for.
            truth: (N, 3, H, W).
        """
        found: dict[tuple[str, int], Tensor] = {}  # features of the colourings, by extractor and sampling
        real: dict[str, Tensor] = {}
        for metric in self._ready:
            n = len(truth) if metric.images is None else min(len(truth), metric.images - start)
            if n <= 0:
                continue
            with self._surviving(metric):
                if isinstance(metric, FeatureMetric):
                    space = metric.extractor.identity
                    if space not in real:
                        real[space] = self._real[space].read(range(start, start + len(truth)))
                    for sampling, one in enumerate((metric, *self._again[id(metric)])):
                        if (space, sampling) not in found:
                            found[space, sampling] = metric.extractor(colored[sampling]).float().cpu()
                        one.update_features(found[space, sampling][:n], real[space][:n])
                elif metric.samples > 1:
                    metric.update_samples(torch.stack([sample[:n] for sample in colored[: metric.samples]]), truth[:n])
                else:
                    metric.update(colored[0][:n], truth[:n])

    def scores(self, order: np.ndarray, groups: Sequence[str | None]) -> list[Score]:
        """Of each metric in turn, also by group where it asks for that.

        Args:
            order: (N,): the image at each place.
            groups: of each image.
        """
        scores: list[Score] = []
        for metric in self._metrics:
            found: list[Score] = []
            if id(metric) not in self._missing:
                with self._surviving(metric):
                    found = [in_order(score, order) for score in self._computed(metric)]
                    demand_named(metric, found)
                    found = [called(score, metric) for score in found]
                    found += by_group(found, groups) if metric.by_group else []
            missing = self._missing.get(id(metric))
            scores += found if missing is None else [called(score, metric) for score in missing]
        return scores

    @contextmanager
    def _surviving(self, metric: Metric, *, refusals: bool = True) -> Iterator[None]:
        """A metric that fails is a hole with its reason, not a lost run. So is one that refuses, with ``refusals``."""
        try:
            yield
        except torch.cuda.OutOfMemoryError:  # a smaller batch helps, and the training is not lost
            raise
        except (Exception, SystemExit) as error:
            if isinstance(error, ZooError) and not refusals:
                raise
            reason = str(error) if isinstance(error, ZooError) else blame(error) or failure(error)
            self._ready = [other for other in self._ready if other is not metric]
            self._missing[id(metric)] = metric.missing(reason)

    def _computed(self, metric: Metric) -> list[Score]:
        again = self._again.get(id(metric), [])
        return [mean_of_samplings(scores) for scores in zip(*(one.compute() for one in (metric, *again)), strict=True)]


def called(score: Score, metric: Metric) -> Score:
    """``score`` under the name that it has for the hints of its metric."""
    return replace(score, name=at(score.name, metric.hints))


def mean_of_samplings(scores: Sequence[Score]) -> Score:
    """One score of several, of the same name: their mean, with each of them kept."""
    values = [score.value for score in scores if score.value is not None]
    if len(scores) == 1 or len(values) < len(scores):
        return scores[0]
    shown = ", ".join(f"{value:.4g}" for value in values)
    note = f"{len(values)} samplings: {shown}"
    return replace(scores[0], value=sum(values) / len(values), samplings=tuple(values), note=note)


def in_order(score: Score, order: np.ndarray) -> Score:
    """``score`` with the per-image values of the images ``order[0]``, ``order[1]``, … put at their indices; NaN, and a
    note, where there are fewer of them than images."""
    if score.per_image is None:
        return score
    values = torch.full((len(order),), float("nan"), dtype=torch.float64)
    values[torch.from_numpy(order[: len(score.per_image)])] = score.per_image.double()
    if len(score.per_image) == len(order):
        return replace(score, per_image=values)
    return mean_score(score.name, values, score.higher_is_better)


def by_group(scores: Sequence[Score], groups: Sequence[str | None]) -> list[Score]:
    """Each per-image score averaged over each group: ``skin_b_diff[tan]``, with the number of images noted and the
    mean's interval.

    Args:
        groups: of each image, in the order of the per-image values; None: not known.
    """
    found = []
    for group in sorted({group for group in groups if group is not None}):
        members = torch.tensor([other == group for other in groups])
        for score in scores:
            if score.per_image is None:
                continue
            values = score.per_image[members]
            value = None if values.isnan().all() else values.nanmean().item()
            found.append(Score(f"{score.name}[{group}]", value, score.higher_is_better, note=spread(values)))
    return found
