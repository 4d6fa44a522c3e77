"""Checks of every method; see `zoo.methods.Method`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from zoo.cache.images import ImageCache, View, open_images
from zoo.color.lab import uint8_to_lab
from zoo.conformance._tensors import demand_unobtrusive
from zoo.conformance.checks import Check, Moot, Subject, demand
from zoo.data import Dataset
from zoo.diffusion.samplers import SamplerConfig
from zoo.methods import Materials, Method, Photos
from zoo.model import ColorDiffusion
from zoo.registry import datasets, methods

SIDE, PHOTOS = 16, 3


class _Scene(NamedTuple):
    dataset: Dataset
    open_view: Callable[[View], ImageCache]
    photos: Photos


class MethodSubject(Subject):
    """A method to look at, opened for painted faces."""

    @cached_property
    def method(self) -> Method:
        method: Method = self.build()
        method.open(self.scene.dataset, self.scene.open_view, SIDE, "cpu")
        return method

    @cached_property
    def scene(self) -> _Scene:
        dataset = _painted()
        open_view = partial(_images, dataset, "test")
        images = open_view(View(SIDE))
        indices = torch.arange(PHOTOS).numpy()
        L, ab = uint8_to_lab(torch.from_numpy(images.batch(indices)))
        return _Scene(dataset, open_view, Photos(indices, L, ab, images.keys))

    @torch.no_grad()
    def colored(self, photos: Photos, seed: int = 0) -> Tensor:
        generators = [torch.Generator().manual_seed(seed + i) for i in range(len(photos.L))]
        return self.method.sample(photos, self.method.encode(photos), generators)


def create(name: str, **options: Any) -> Method:
    """The method, with a tiny model that nobody trained."""
    cls = methods.get(name)
    diffusion = {k.removeprefix("diffusion."): v for k, v in cls.defaults.items() if k.startswith("diffusion.")}
    model = ColorDiffusion(
        encoder={"name": "unet", "width": 16, "mults": [1]},
        cond={"name": "concat"},
        denoiser={"width": 32, "mults": [1]},
        diffusion=diffusion,
        image_size=SIDE,
    )
    out = model.get_parameter("denoiser.conv_out.2.weight")
    torch.nn.init.normal_(out, std=0.1, generator=torch.Generator().manual_seed(0))
    dataset = _painted()
    train_images, scored = (_images(dataset, split, View(SIDE)) for split in ("train", "test"))
    with tempfile.TemporaryDirectory() as folder:
        given = (train_images if cls.learns else None, scored, dataset, Path(folder))
        return cls.of(Materials(model if cls.trains else None, SamplerConfig(steps=2), 4, *given), **options)


def gives_finite_chroma_of_the_photo_s_size(subject: MethodSubject) -> None:
    ab, photos = subject.colored(subject.scene.photos), subject.scene.photos
    demand(isinstance(subject.method, Method), f"{type(subject.method).__qualname__} is no zoo.methods.Method")
    demand(ab.shape == photos.ab.shape, f"ab is of shape {tuple(ab.shape)}, not {tuple(photos.ab.shape)}")
    demand(bool(ab.isfinite().all()), "ab is not finite")


def gives_the_same_colors_for_the_same_seed(subject: MethodSubject) -> None:
    first, again = (subject.colored(subject.scene.photos) for _ in range(2))
    demand(torch.equal(first, again), "the same generators give other colours: it draws from elsewhere")


def depends_on_no_seed_where_it_says_so(subject: MethodSubject) -> None:
    if subject.method.draws:
        raise Moot("it says that it draws")
    first, other = (subject.colored(subject.scene.photos, seed) for seed in (0, 100))
    demand(torch.equal(first, other), "draws is False, but other generators give other colours")


def colors_a_photo_the_same_alone_and_among_others(subject: MethodSubject) -> None:
    photos = subject.scene.photos
    among, alone = subject.colored(photos)[:1], subject.colored(photos.first(1))
    demand(torch.allclose(among, alone, atol=1e-4), f"ab differs by {float((among - alone).abs().max()):.2g}")


def prints_nothing_and_sets_no_seed(subject: MethodSubject) -> None:
    scene = subject.scene
    demand_unobtrusive(lambda: MethodSubject(subject.build).colored(scene.photos))


def leaves_the_photos_as_they_are(subject: MethodSubject) -> None:
    photos = subject.scene.photos
    before = photos.L.clone(), photos.ab.clone()
    subject.colored(photos)
    demand(torch.equal(before[0], photos.L) and torch.equal(before[1], photos.ab), "it writes into L or ab")


def _painted() -> Dataset:
    return datasets.create("synthetic", n_train=PHOTOS, n_val=1, n_test=PHOTOS, size=32)


def _images(dataset: Dataset, split: Any, view: View) -> ImageCache:
    with tempfile.TemporaryDirectory() as folder:  # the open file outlives its name
        return open_images(dataset, split, view, Path(folder), drop_grey=False)


SUBJECT = MethodSubject
CHECKS: tuple[Check[MethodSubject], ...] = (
    gives_finite_chroma_of_the_photo_s_size,
    gives_the_same_colors_for_the_same_seed,
    depends_on_no_seed_where_it_says_so,
    colors_a_photo_the_same_alone_and_among_others,
    prints_nothing_and_sets_no_seed,
    leaves_the_photos_as_they_are,
)
COSTS: tuple[Check[MethodSubject], ...] = ()
