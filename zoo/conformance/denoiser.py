"""Checks of every denoiser; see `zoo.denoisers.Denoiser`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor

from zoo.conformance._tensors import (
    demand_equal,
    demand_moved,
    demand_plausible,
    demand_trained,
    demand_unobtrusive,
    lightness,
    milliseconds,
    normal,
    open_zeros,
    seeded,
)
from zoo.conformance.checks import Check, Moot, Subject, demand
from zoo.denoisers import Denoiser, Inject
from zoo.diffusion.hints import CHANNELS
from zoo.features import FeatureLevel

N, EXTRA = 2, 16


class DenoiserSubject(Subject):
    """A denoiser to look at, on pictures of a few of its coarsest positions."""

    @cached_property
    def levels(self) -> tuple[FeatureLevel, ...]:
        found: tuple[FeatureLevel, ...] = self.cls.levels(**self.options)  # type: ignore[attr-defined]
        return found

    @cached_property
    def size(self) -> tuple[int, int]:
        """No square: a height and width in pixels."""
        stride = self.levels[-1].stride
        side = max(1, -(-32 // stride)) * stride
        return side, side + stride

    def fresh(self, extra: Sequence[int] = (), *, opened: bool = True, seed: int = 0) -> Denoiser:
        def build() -> Denoiser:
            made: Denoiser = self.build(extra=extra)
            return made

        made = seeded(build, seed).eval()
        if opened:  # what starts at zero would hide everything
            open_zeros(made)
        return made

    @cached_property
    def one(self) -> Denoiser:
        """For checks that leave it as it is."""
        return self.fresh()

    def given(self, n: int = N, size: tuple[int, int] | None = None, seed: int = 0) -> dict[str, Tensor]:
        """ab_t, L and t for ``n`` images."""
        (height, width), r = size or self.size, self.one.chroma_scale
        return {
            "ab_t": normal(n, 2, height // r, width // r, seed=seed),
            "L": lightness(n, height, width, seed=seed),
            "t": torch.linspace(0.2, 0.9, n) if seed == 0 else torch.full((n,), 0.05),
        }

    def said(self, denoiser: Denoiser, inject: Inject | None = None, /, **changes: Tensor) -> Tensor:
        """Its prediction for the given images, or others."""
        told = {**self.given(), "embedding": None, **changes}
        found: Tensor = denoiser(inject=inject or _as_it_is, **told)
        return found


def declares_where_features_may_enter(subject: DenoiserSubject) -> str:
    levels = subject.levels
    demand(isinstance(subject.one, Denoiser), f"{subject.cls.__qualname__} is no zoo.denoisers.Denoiser")
    demand(bool(levels), "levels() is empty; give at least one")
    strides = [level.stride for level in levels]
    demand(strides == sorted(strides), f"levels() must go from fine to coarse, not by strides {strides}")
    odd = [stride for stride in strides if strides[-1] % stride or stride % subject.one.chroma_scale]
    demand(not odd, f"strides {strides} must divide the last one, and be multiples of chroma_scale")
    return " ".join(f"{level.channels}/{level.stride}" for level in levels)


def enters_each_level_once_and_in_order(subject: DenoiserSubject) -> None:
    seen = []

    def inject(h: Tensor, level: int) -> Tensor:
        seen.append((level, tuple(h.shape)))
        return _joined(h)

    subject.said(subject.fresh([EXTRA] * len(subject.levels)), inject)
    sizes = [tuple(side // level.stride for side in subject.size) for level in subject.levels]
    expected = [(i, (N, level.channels, *sizes[i])) for i, level in enumerate(subject.levels)]
    demand(seen == expected, f"inject was called with {seen}; expected by levels(): {expected}")


def predicts_at_the_resolution_of_ab(subject: DenoiserSubject) -> None:
    denoiser, stride = subject.one, subject.levels[-1].stride
    for size in (subject.size, (subject.size[1], subject.size[0]), (4 * stride, 2 * stride)):
        given = subject.given(size=size)
        found, expected = tuple(subject.said(denoiser, **given).shape), tuple(given["ab_t"].shape)
        demand(found == expected, f"of L {size[0]} × {size[1]} it predicts {found}, not {expected}")
    demand_plausible([subject.said(subject.fresh(opened=False))], "first predictions")


def gives_the_same_twice(subject: DenoiserSubject) -> None:
    denoiser = subject.one
    demand_equal([subject.said(denoiser)], [subject.said(denoiser)], "predictions of the same", exactly=True)


def sees_each_image_by_itself(subject: DenoiserSubject) -> None:
    denoiser, given = subject.one, subject.given(3)
    alone = {name: x[1:2] for name, x in given.items()}
    found = [subject.said(denoiser, **given)[1:2]], [subject.said(denoiser, **alone)]
    demand_equal(*found, "an image among others and by itself")


def depends_on_ab_L_and_t(subject: DenoiserSubject) -> None:
    denoiser = subject.one
    before, others = subject.said(denoiser), subject.given(seed=1)
    blind = [name for name, x in others.items() if torch.equal(before, subject.said(denoiser, **{name: x}))]
    demand(not blind, f"another {' and '.join(blind)} changes nothing")


def depends_on_what_is_added_to_the_embedding_of_time(subject: DenoiserSubject) -> None:
    denoiser = subject.one
    added = normal(N, denoiser.embed_dim, seed=5)
    demand(not torch.equal(subject.said(denoiser), subject.said(denoiser, embedding=added)), "it changes nothing")


def depends_on_what_is_joined(subject: DenoiserSubject) -> None:
    denoiser = subject.fresh([EXTRA] * len(subject.levels))
    before = subject.said(denoiser, lambda h, level: _joined(h))
    for i in range(len(subject.levels)):

        def inject(h: Tensor, level: int, other: int = i) -> Tensor:
            return _joined(h, seed=int(level == other))

        found = subject.said(denoiser, inject)
        demand(not torch.equal(before, found), f"channels that are joined at level {i} change nothing")


def depends_on_hints_where_it_takes_them(subject: DenoiserSubject) -> None:
    if "hints" not in subject.parameters:
        raise Moot("it takes no hints")
    denoiser = seeded(lambda: subject.build(hints=True)).eval()
    open_zeros(denoiser)
    demand(denoiser.hints is True, f"its attribute hints is {denoiser.hints!r} with hints=True")
    told = normal(N, CHANNELS, *subject.given()["ab_t"].shape[2:])
    none = subject.said(denoiser)
    demand_equal([subject.said(denoiser, hints=torch.zeros_like(told))], [none], "with hints of 0 and without any")
    demand(not torch.equal(none, subject.said(denoiser, hints=told)), "hints change nothing")


def trains_every_parameter(subject: DenoiserSubject) -> None:
    denoiser = subject.fresh([EXTRA] * len(subject.levels))
    added = normal(N, denoiser.embed_dim)
    subject.said(denoiser, lambda h, level: _joined(h), embedding=added).square().sum().backward()
    demand_trained(denoiser)


def draws_its_weights_from_the_seed_of_torch(subject: DenoiserSubject) -> None:
    one, other = (subject.fresh(opened=False).state_dict() for _ in range(2))
    demand_equal([*one.values()], [*other.values()], "weights of two that are built under one seed", exactly=True)


def is_all_in_its_options_and_state_dict(subject: DenoiserSubject) -> None:
    one, other = subject.one, subject.fresh(seed=1)
    other.load_state_dict(one.state_dict())
    demand_equal([subject.said(other)], [subject.said(one)], "predictions of it and of a copy by its state_dict")


def follows_to_another_device(subject: DenoiserSubject) -> str:
    denoiser = subject.fresh()
    given = subject.given()
    return demand_moved(
        denoiser, lambda device: [subject.said(denoiser, **{name: x.to(device) for name, x in given.items()})]
    )


def prints_nothing_and_sets_no_seed(subject: DenoiserSubject) -> None:
    def run() -> None:
        with torch.no_grad():
            subject.said(subject.build().eval())

    demand_unobtrusive(run)


def costs(subject: DenoiserSubject) -> str:
    denoiser = subject.fresh().to(subject.device)
    with torch.no_grad():
        given = {name: x.to(subject.device) for name, x in subject.given().items()}
        spent = milliseconds(lambda: subject.said(denoiser, **given)) / N
    parameters = sum(p.numel() for p in denoiser.parameters())
    return f"{spent:.2f} ms per small image and step on {subject.device}, {parameters:,} parameters"


SUBJECT = DenoiserSubject
CHECKS: tuple[Check[DenoiserSubject], ...] = (
    declares_where_features_may_enter,
    enters_each_level_once_and_in_order,
    predicts_at_the_resolution_of_ab,
    gives_the_same_twice,
    sees_each_image_by_itself,
    depends_on_ab_L_and_t,
    depends_on_what_is_added_to_the_embedding_of_time,
    depends_on_what_is_joined,
    depends_on_hints_where_it_takes_them,
    trains_every_parameter,
    draws_its_weights_from_the_seed_of_torch,
    is_all_in_its_options_and_state_dict,
    follows_to_another_device,
    prints_nothing_and_sets_no_seed,
)
COSTS: tuple[Check[DenoiserSubject], ...] = (costs,)


def _as_it_is(h: Tensor, level: int) -> Tensor:
    return h


def _joined(h: Tensor, seed: int = 0) -> Tensor:
    """With `EXTRA` channels behind its own."""
    return torch.cat([h, normal(len(h), EXTRA, *h.shape[2:], seed=seed)], dim=1)
