"""Checks of every conditioner; see `zoo.conditioners.Conditioner`. Each is looked at with every kind of encoder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

import torch
from torch import Tensor, nn

from zoo.conditioners import Conditioner, Context
from zoo.conformance._tensors import (
    demand_equal,
    demand_moved,
    demand_trained,
    demand_unobtrusive,
    lightness,
    milliseconds,
    normal,
    open_zeros,
    seeded,
)
from zoo.conformance.checks import Broken, Check, Moot, Subject, demand
from zoo.denoisers.unet import UNet, denoiser_levels
from zoo.errors import ZooError
from zoo.features import FeatureLevel, Features, FeatureSpec

SPECS: Mapping[str, FeatureSpec] = MappingProxyType(
    {
        "maps": FeatureSpec((FeatureLevel(16, 4), FeatureLevel(24, 8), FeatureLevel(40, 16))),
        "tokens": FeatureSpec((), 12),
        "both": FeatureSpec((FeatureLevel(8, 2), FeatureLevel(20, 16)), 12, input_size=112),
        "a constant": FeatureSpec((), 1),  # what encoder none gives
    }
)
WIDTH = 32
LEVELS = denoiser_levels(WIDTH, (1, 2), 4)
SIZE = (32, 48)


class ConditionerSubject(Subject):
    """A conditioner to look at: ``build(spec, denoiser_levels)``."""

    def probe(self) -> None:
        refusals = []
        for spec in SPECS.values():
            try:
                self.fresh(spec)
            except ZooError as refusal:
                refusals.append(refusal)
        if len(refusals) == len(SPECS):  # then it is not the encoder that it refuses
            raise refusals[0]

    def fresh(self, spec: FeatureSpec, seed: int = 0) -> Conditioner:
        return seeded(lambda: self.build(spec, LEVELS), seed)

    def each(self) -> Iterator[tuple[str, Conditioner]]:
        """A fresh one for each kind of encoder that it does not refuse."""
        for kind, spec in SPECS.items():
            try:
                yield f"with an encoder of {kind}", self.fresh(spec).eval()
            except ZooError:
                continue


def builds_or_refuses_with_a_reason(subject: ConditionerSubject) -> str:
    refused = []
    for kind, spec in SPECS.items():
        try:
            conditioner = subject.fresh(spec)
        except ZooError as reason:
            demand(len(str(reason).splitlines()) == 1, f"the reason is not one line: {str(reason)!r}")
            refused.append(kind)
            continue
        demand(isinstance(conditioner, Conditioner), f"{type(conditioner).__qualname__} is no zoo.Conditioner")
    return f"refuses encoders of {', '.join(refused)}" if refused else ""


def refuses_an_encoder_without_features(subject: ConditionerSubject) -> None:
    try:
        conditioner = subject.fresh(FeatureSpec())
    except ZooError:
        return
    if not conditioner.uses_encoder:
        raise Moot("it does not use the encoder")
    raise Broken("it takes an encoder that gives neither maps nor tokens; call super().__init__(spec, denoiser_levels)")


def starts_as_the_unconditioned_net(subject: ConditionerSubject) -> None:
    for what, conditioner in subject.each():
        found, plain = _denoised(conditioner, _context(conditioner)), _denoised(None, ())
        # the same weights are drawn for what both have: only what is injected can tell them apart
        demand_equal([found], [plain], f"{what}: predictions with it and without it")


def joins_the_channels_that_it_announces(subject: ConditionerSubject) -> None:
    for what, conditioner in subject.each():
        context = _context(conditioner)
        for i, level in enumerate(LEVELS):
            h = normal(3, level.channels, SIZE[0] // level.stride, SIZE[1] // level.stride)
            joined = tuple(conditioner.inject(h, i, context).shape)
            expected = (3, level.channels + conditioner.extra_channels(i), *h.shape[2:])
            demand(joined == expected, f"{what}, stage {i}: expected {expected} of inject, got {joined}")


def has_a_null_for_each_tensor_of_its_context(subject: ConditionerSubject) -> None:
    for what, conditioner in subject.each():
        context = _context(conditioner)
        demand(all(len(c) == 3 for c in context), f"{what}: the context must be tensors (N, ...)")
        try:
            dropped = conditioner.drop(context, torch.tensor([True, False, True]))
        except (RuntimeError, ValueError) as error:
            raise Broken(f"{what}: drop fails ({error}); keep one null for each tensor of the context") from error
        shapes = [tuple(c.shape) for c in context]
        demand([tuple(c.shape) for c in dropped] == shapes, f"{what}: a null does not fit its context {shapes}")


def hides_an_image_that_is_dropped(subject: ConditionerSubject) -> None:
    for what, conditioner in subject.each():
        contexts = [_context(conditioner, seed=seed) for seed in (0, 1)]
        dropped = [conditioner.drop(context, torch.tensor([True, False, True])) for context in contexts]
        for a, b, kept in zip(*dropped, contexts[0], strict=True):
            demand(torch.equal(a[[0, 2]], b[[0, 2]]), f"{what}: a dropped context still depends on the image")
            demand(torch.equal(a[1], kept[1]), f"{what}: dropping changes an image that is not dropped")


def sees_each_image_by_itself(subject: ConditionerSubject) -> None:
    for what, conditioner in subject.each():
        features = features_of(conditioner.spec)
        alone = Features(
            tuple(m[1:2] for m in features.maps), None if features.tokens is None else features.tokens[1:2]
        )
        together = [c[1:2] for c in conditioner.prepare(features, SIZE)]
        demand_equal(together, conditioner.prepare(alone, SIZE), f"{what}: an image among others and by itself")


def lets_the_features_matter_once_trained(subject: ConditionerSubject) -> None:
    for what, conditioner in subject.each():
        if not conditioner.uses_encoder:
            raise Moot("it does not use the encoder")
        if conditioner.spec.token_dim == 1:
            continue  # a normalisation leaves nothing of a single number, and may
        open_zeros(conditioner)
        a, b = (_denoised(conditioner, _context(conditioner, seed=seed), opened=True) for seed in (0, 1))
        demand(bool((a - b).abs().max() > 1e-4), f"{what}: other features change nothing, whatever its weights")


def prints_nothing_and_sets_no_seed(subject: ConditionerSubject) -> None:
    spec = next(subject.each())[1].spec

    def run() -> None:
        conditioner = subject.build(spec, LEVELS).eval()
        with torch.no_grad():
            _denoised(conditioner, _context(conditioner))

    demand_unobtrusive(run)


def trains_every_parameter(subject: ConditionerSubject) -> None:
    for what, conditioner in subject.each():
        open_zeros(conditioner)
        context = conditioner.drop(_context(conditioner), torch.tensor([True, False, False]))
        _denoised(conditioner, context, opened=True).square().sum().backward()
        try:
            demand_trained(conditioner)
        except Broken as error:
            raise Broken(f"{what}: {error}") from error


def is_all_in_its_options_and_state_dict(subject: ConditionerSubject) -> None:
    for what, conditioner in subject.each():
        open_zeros(conditioner)
        other = subject.fresh(conditioner.spec, seed=1)
        other.load_state_dict(conditioner.state_dict())
        contexts = [_context(c) for c in (conditioner, other)]
        demand_equal(contexts[0], contexts[1], f"{what}: contexts of it and of a copy by its state_dict")


def draws_its_weights_from_the_seed_of_torch(subject: ConditionerSubject) -> None:
    for what, conditioner in subject.each():
        again = subject.fresh(conditioner.spec).state_dict()
        said = f"{what}: weights of two that are built under one seed"
        demand_equal([*conditioner.state_dict().values()], [*again.values()], said, exactly=True)


def follows_to_another_device(subject: ConditionerSubject) -> str:
    told = ""
    for _, conditioner in subject.each():

        def run(device: str, moved: Conditioner = conditioner) -> list[Tensor]:
            context = moved.prepare(features_of(moved.spec, device=device), SIZE)
            h = [normal(3, x.channels, SIZE[0] // x.stride, SIZE[1] // x.stride).to(device) for x in LEVELS]
            return [*context, *(moved.inject(x, i, context) for i, x in enumerate(h))]

        told = demand_moved(conditioner, run)
    return told


def costs(subject: ConditionerSubject) -> str:
    _, conditioner = next(subject.each())
    conditioner = conditioner.to(subject.device)
    features = features_of(conditioner.spec, device=subject.device)
    with torch.no_grad():
        spent = milliseconds(lambda: conditioner.prepare(features, SIZE)) / 3
    parameters = sum(p.numel() for p in conditioner.parameters())
    return f"{spent:.2f} ms per small image to prepare on {subject.device}, {parameters:,} parameters in a small net"


SUBJECT = ConditionerSubject
CHECKS: tuple[Check[ConditionerSubject], ...] = (
    builds_or_refuses_with_a_reason,
    refuses_an_encoder_without_features,
    starts_as_the_unconditioned_net,
    joins_the_channels_that_it_announces,
    has_a_null_for_each_tensor_of_its_context,
    hides_an_image_that_is_dropped,
    sees_each_image_by_itself,
    lets_the_features_matter_once_trained,
    prints_nothing_and_sets_no_seed,
    trains_every_parameter,
    is_all_in_its_options_and_state_dict,
    draws_its_weights_from_the_seed_of_torch,
    follows_to_another_device,
)
COSTS: tuple[Check[ConditionerSubject], ...] = (costs,)


def features_of(spec: FeatureSpec, n: int = 3, seed: int = 0, device: str = "cpu") -> Features:
    """Such as an encoder with this spec may give for images of `SIZE`."""
    sides = (spec.input_size, spec.input_size) if spec.input_size else SIZE
    maps = tuple(
        normal(n, level.channels, *(-(-side // level.stride) for side in sides), seed=seed + i).to(device)
        for i, level in enumerate(spec.levels)
    )
    tokens = None if spec.token_dim is None else normal(n, 2, spec.token_dim, seed=seed + 10).to(device)
    return Features(maps, tokens)


def _context(conditioner: Conditioner, seed: int = 0) -> Context:
    return conditioner.prepare(features_of(conditioner.spec, seed=20 * seed), SIZE)


def _denoised(conditioner: Conditioner | None, context: Context, *, opened: bool = False) -> Tensor:
    """What a small denoiser makes of three images; without a conditioner, what it makes of L alone."""
    extra = [conditioner.extra_channels(i) for i in range(len(LEVELS))] if conditioner else []
    denoiser = seeded(lambda: UNet(width=WIDTH, extra=extra), seed=1)
    last = denoiser.conv_out[2]
    assert isinstance(last, nn.Conv2d)
    nn.init.normal_(last.weight, generator=torch.Generator().manual_seed(2))
    if opened:
        open_zeros(denoiser)

    def inject(h: Tensor, level: int) -> Tensor:
        return conditioner.inject(h, level, context) if conditioner else h

    ab_t, L, t = normal(3, 2, SIZE[0] // 4, SIZE[1] // 4, seed=3), lightness(3, *SIZE), torch.full((3,), 0.5)
    return denoiser(ab_t, L, t, inject, conditioner.embed(context) if conditioner else None)
