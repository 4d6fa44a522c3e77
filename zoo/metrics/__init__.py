"""Metrics. Every module here is the metric of its name; modules with a leading underscore are shared."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from zoo.faces.framing import Box


@dataclass(frozen=True)
class Score:
    """One number for a set of images.

    Attributes:
        name: as it stands in result rows, e.g. ``"colorfulness_abs_diff"``.
        value: None: it is missing; ``note`` then says why.
        higher_is_better: None where neither is (e.g. the colourfulness of the truth).
        per_image: (N,) values whose mean is ``value``, where the metric is one; None for distances of sets. NaN: this
            image has no value and does not count.
        samplings: the values of several samplings of the set, whose mean is ``value``; (): there was one.
    """

    name: str
    value: float | None
    higher_is_better: bool | None
    per_image: Tensor | None = None
    note: str = ""
    samplings: tuple[float, ...] = ()


def at(name: str, hints: int | None) -> str:
    """What a score is called of colourings that were told the true colours at so many places; None: of all others."""
    return name if hints is None else f"{name}@{hints}"


class Metric(ABC):
    """Compares colourings with the truth, batch by batch, in memory that does not grow with N
    (but for the per-image values).

    Constructing one must be cheap: no weights. `load` loads them.

    Attributes:
        version: raise it when the same images would get another value; part of ``protocol_id``.
        by_group: its per-image scores are averaged over each group of the dataset (`Dataset.group`) too.
        samples: colourings of each image that it wants to see; where more than 1, it is shown them by
            `update_samples`, and by `update` never.
        images: it is shown only so many, a fair sample; None: all.
        hints: set by whoever opens it: it is shown colourings that were told the true colours at so many places, and
            its scores are then called ``psnr@5``; None: it is not about hints.
    """

    version: int = 1
    by_group: bool = False
    samples: int = 1
    images: int | None = None
    hints: int | None = None

    @classmethod
    def in_use(cls, options: dict[str, Any]) -> dict[str, Any]:
        """``options`` but for those that nothing reads: two that agree in these are one metric, and one run."""
        return options

    @classmethod
    def in_use_for(cls, options: dict[str, Any], images: int) -> dict[str, Any]:
        """The same of a set of so many images: numbers of images that leave out none are one number, see `enough`."""
        return options

    def locate_faces(self, find: Callable[[], Box | None]) -> None:
        """Told before `load` how to find where the ArcFace template's square lies in the dataset's images
        (`Dataset.face_box`); ``find`` may take a while, so only a metric that looks at faces calls it."""

    def weights_sha(self) -> str | None:
        """sha256 of the weights that `load` will read, without reading them (`zoo.weights.known_sha`); None: it reads
        none, or they are not here. Part of ``protocol_id`` in place of their name or path."""
        return None

    def load(self, device: str) -> None:
        """Load what it needs onto ``device``. Raises `zoo.errors.ZooError` (e.g. `WeightsNotFoundError`) if it cannot:
        the runner then calls `missing` with the reason and goes on."""

    @abstractmethod
    def names(self) -> dict[str, bool | None]:
        """The scores it will give → whether higher is better."""

    @abstractmethod
    def update(self, pred: Tensor, truth: Tensor) -> None:
        """Take in colourings and their truths, both (N, 3, H, W) sRGB in [0, 1], same N and order."""

    def update_samples(self, samples: Tensor, truth: Tensor) -> None:
        """Take in `samples` colourings (S, N, 3, H, W) of each image, and the truths (N, 3, H, W)."""
        raise NotImplementedError(f"{type(self).__name__} asks for {self.samples} samples, and takes in none")

    @abstractmethod
    def compute(self) -> list[Score]:
        """The scores of all that was taken in; one for each of `names`."""

    def missing(self, reason: str) -> list[Score]:
        """A score without a value for each of `names`."""
        return [Score(name, None, better, note=reason) for name, better in self.names().items()]


class Extractor(Protocol):
    """A network that describes an image by D numbers."""

    @property
    def identity(self) -> str:
        """Another text whenever the same image would get other numbers: the name of the space, a version of what is
        done before and after the network, and the sha256 of its weights. It keys the cache of the real images'
        features, so it says nothing of device or path."""

    def __call__(self, rgb: Tensor) -> Tensor:
        """sRGB (N, 3, H, W) in [0, 1], on any device → (N, D), without gradients."""


class FeatureMetric(Metric):
    """Looks at features of images alone. Those of colourings are then computed once for all metrics that share the
    extractor, and those of the real images once and for ever.

    Attributes:
        extractor: there after `load`.
    """

    extractor: Extractor

    @torch.no_grad()
    def update(self, pred: Tensor, truth: Tensor) -> None:
        self.update_features(self.extractor(pred), self.extractor(truth))

    @abstractmethod
    def update_features(self, pred: Tensor, truth: Tensor) -> None:
        """Take in features of colourings and of their truths, both (N, D), on any device."""


def enough(value: int | None, default: int, least: int) -> int:
    """``value``; but one and the same for all from ``least`` on, which make no difference (None: no end): the default
    where it is one of these, else ``least``."""
    return value if value is not None and value < least else max(default, least)


def mean_score(name: str, values: Tensor, higher_is_better: bool | None) -> Score:
    """The mean of values (N,) per image, leaving out NaN, and saying how many were left out."""
    counted = ~values.isnan()
    if not counted.any():
        return Score(name, None, higher_is_better, note="no image has a value")
    note = "" if counted.all() else f"{int(counted.sum())} of {len(values)} images have a value"
    return Score(name, values[counted].mean().item(), higher_is_better, per_image=values, note=note)


def spread(values: Tensor) -> str:
    """The number of values (N,) that are not NaN, and the 95 % interval of their mean (Student's t)."""
    counted = values[~values.isnan()].double()
    n = len(counted)
    shown = f"{n} image" if n == 1 else f"{n} images"
    if n < 2:
        return shown
    from scipy.special import stdtrit  # type: ignore[import-untyped]  # scipy.stats takes a second

    half = stdtrit(n - 1, 0.975) * counted.std().item() / n**0.5
    return f"{shown}, 95 % interval {counted.mean().item() - half:.4g} to {counted.mean().item() + half:.4g}"
