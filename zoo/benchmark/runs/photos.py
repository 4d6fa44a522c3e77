"""The photos of a run: those to train on, those to score, and which pictures are among both."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from zoo import registry
from zoo.benchmark.config.spec import Spec
from zoo.benchmark.runs.progress import bar
from zoo.cache.contract import keys_of
from zoo.cache.images import ImageCache, View, open_images
from zoo.data import Dataset, Split
from zoo.errors import ZooError
from zoo.reading.near_duplicates import Fingerprints, near
from zoo.training.validation import validation_images

_NAMED = 3  # pairs in a warning
_LISTED = 100  # pairs that are written down

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class RunPhotos:
    """Decoded, as the denoiser sees them.

    Attributes:
        images: ``"train"``, for a method that learns, ``"val"``, where these decide what is kept, and ``"eval"``.
        unlike: of what was kept out of training (``data.dedupe``); None: nothing.
        shared: (scored, trained on) photos that show one picture.
    """

    images: dict[str, ImageCache]
    unlike: Fingerprints | None
    shared: Pairs

    @classmethod
    def open(cls, spec: Spec, dataset: Dataset) -> RunPhotos:
        """Decode them, or find them in the cache; a warning names pictures that are among both.

        Raises:
            ZooError: there are none.
        """
        view, cache, scored = View(spec.image_size), spec.machine.cache, spec.eval.split
        test = open_images(dataset, scored, view, cache, drop_grey=False, limit=spec.eval.limit, progress=bar)
        if not registry.methods.get(spec.method).learns:
            return cls({"eval": test}, None, ())
        unlike = others(dataset, view, cache) if spec.dedupe else None
        train = open_images(
            dataset, "train", view, cache, drop_grey=True, limit=spec.data_limit, unlike=unlike, progress=bar
        )
        shared: Pairs = ()
        if scored != "train" and not dataset.distinct:
            shared = _shared(test.fingerprints, train.fingerprints)
        if shared:
            n = len({key for key, _ in shared})
            advice = "data.dedupe=true leaves these out of training"
            told = f"{n} of {len(test)} {scored} photos show the same picture as one to train on"
            warnings.warn(f"{told}: {_named(shared)}; {advice}", stacklevel=2)
        if train.near:
            told = (
                f"{len(train.near)} photos are left out of training, which show the same picture as one of val or test"
            )
            warnings.warn(f"{told}: {_named(train.near)}", stacklevel=2)
        images = {"train": train, "eval": test}
        if registry.methods.get(spec.method).trains and spec.train.watches:
            images["val"] = _deciding(spec, dataset)
        return cls(images, unlike, shared)

    def facts(self) -> dict[str, Any]:
        """How many photos there are, what was left out of them, and the hashes that identify them."""
        roles: dict[str, Any] = {role: _counts(cache) for role, cache in self.images.items()}
        return {**roles, "shared_pictures": {"count": len(self.shared), "pairs": list(self.shared[:_LISTED])}}


def without_idle_limits(spec: Spec, dataset: Dataset) -> Spec:
    """``spec`` without the limits that are not below the number of photos there are, also those of metrics: they leave
    out nothing, so runs with and without them are one. Raises `ZooError` where there are no photos."""

    def idle(limit: int | None, split: Split) -> bool:
        return limit is not None and limit >= len(keys_of(dataset, split))

    if not registry.methods.get(spec.method).learns or idle(spec.data_limit, "train"):
        spec = replace(spec, data_limit=None)
    if idle(spec.eval.limit, spec.eval.split):
        spec = replace(spec, eval=replace(spec.eval, limit=None))
    scored = spec.eval.limit or len(keys_of(dataset, spec.eval.split))
    return replace(spec, metrics={key: metric.of_set(scored) for key, metric in spec.metrics.items()})


def _deciding(spec: Spec, dataset: Dataset) -> ImageCache:
    """Those by which weights are chosen, or training is ended. Raises `ZooError` where there are none."""
    name = "train.keep=best" if spec.train.keep == "best" else f"train.patience={spec.train.patience}"
    if spec.eval.split == "val":
        warnings.warn(f"{name} goes by photos of val, and eval.split=val scores them: it flatters", stacklevel=3)
    try:
        return validation_images(dataset, View(spec.image_size), spec.machine.cache, bar)
    except ZooError as error:
        raise ZooError(f"{name} goes by photos of val: {error}") from error


def others(dataset: Dataset, view: View, cache_dir: Path) -> Fingerprints | None:
    """Of all val and test photos, whatever is scored and how many: what is trained on depends on neither."""
    if dataset.distinct:
        return None
    found = [
        open_images(dataset, split, view, cache_dir, drop_grey=False, progress=bar) for split in _held_out(dataset)
    ]
    return Fingerprints.joined([cache.fingerprints for cache in found])


def _held_out(dataset: Dataset) -> list[Split]:
    there: list[Split] = []
    splits: tuple[Split, ...] = ("val", "test")
    for split in splits:
        try:
            keys_of(dataset, split)
        except ZooError:  # a data set without one
            continue
        there.append(split)
    return there


def _shared(scored: Fingerprints, train: Fingerprints) -> Pairs:
    return tuple((scored.keys[i], train.keys[j]) for i, j in near(scored.bits, train.bits))


def _named(pairs: Pairs) -> str:
    names = [f"{key!r} ({other!r})" for key, other in pairs[:_NAMED]]
    more = [f"and {len(pairs) - _NAMED} more"] if len(pairs) > _NAMED else []
    return ", ".join([*names, *more])


def _counts(cache: ImageCache) -> dict[str, Any]:
    return {
        "images": len(cache),
        "grey": len(cache.grey),
        "skipped": [{"file": key, "reason": reason} for key, reason in cache.skipped],
        "near": [{"file": key, "like": other} for key, other in cache.near],
        "manifest": cache.manifest,
    }
