"""How each conditioner acts on a stage, what dropping hides, and what a sum is."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import zoo
from support.conditioning import NAMES, built, stage
from zoo.conditioners import Conditioner, Context
from zoo.conformance.conditioner import LEVELS, SIZE, SPECS, features_of
from zoo.features import FeatureLevel, Features, FeatureSpec


def context_of(conditioner: Conditioner) -> Context:
    with torch.no_grad():
        return conditioner.prepare(features_of(SPECS["maps"]), SIZE)


@pytest.mark.parametrize("level", [0, 1])
def test_film_scales_and_shifts(level: int) -> None:
    conditioner, h = built("film", "maps"), stage(level)
    context = context_of(conditioner)
    with torch.no_grad():
        shift = conditioner.inject(torch.zeros_like(h), level, context)
        found = conditioner.inject(h, level, context)
    assert shift.abs().max() > 1e-3
    assert shift.std(dim=(2, 3)).max() < 1e-6  # the same everywhere
    scale = ((found - shift) / h).mean(dim=(2, 3), keepdim=True)
    assert (scale - 1).abs().max() > 1e-3
    torch.testing.assert_close(found, scale * h + shift, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("level", [0, 1])
def test_spade_scales_what_is_normalised_and_shifts_at_every_place(level: int) -> None:
    conditioner, h = built("spade", "maps"), stage(level)
    context = context_of(conditioner)
    with torch.no_grad():
        shift = conditioner.inject(torch.zeros_like(h), level, context)
        one, ten = ((conditioner.inject(k * h, level, context) - shift - k * h) for k in (1, 10))
    assert shift.abs().max() > 1e-3
    assert shift.std(dim=(2, 3)).max() > 1e-3  # not the same everywhere
    assert one.abs().max() > 1e-3
    torch.testing.assert_close(one, ten, rtol=1e-2, atol=1e-4)  # the norm takes the factor away


@pytest.mark.parametrize("level", [0, 1])
def test_addition_adds_whatever_it_is_added_to(level: int) -> None:
    conditioner, h = built("add", "maps"), stage(level)
    context = context_of(conditioner)
    with torch.no_grad():
        one, other = (conditioner.inject(k * h, level, context) - k * h for k in (1, 0))
    assert one.abs().max() > 1e-3
    torch.testing.assert_close(one, other, rtol=0, atol=1e-5)


@pytest.mark.parametrize("level", [0, 1])
def test_concatenation_leaves_what_it_is_joined_to(level: int) -> None:
    conditioner, h = built("concat", "maps"), stage(level)
    found = conditioner.inject(h, level, context_of(conditioner))
    assert torch.equal(found[:, : h.shape[1]], h)
    assert found[:, h.shape[1] :].std() > 1e-3


def test_a_sum_adds_what_its_parts_add_and_joins_what_they_join() -> None:
    parts = {name: built(name, "maps") for name in ("add", "concat", "film")}
    total = built("sum", "maps", parts={name: {} for name in parts})
    for name, part in parts.items():
        index = sorted(parts).index(name)
        total.get_submodule(f"parts.{index}").load_state_dict(part.state_dict())
    for level in range(len(LEVELS)):
        h, channels = stage(level), LEVELS[level].channels
        alone = {name: part.inject(h, level, context_of(part)) for name, part in parts.items()}
        found = total.inject(h, level, context_of(total))
        added = h + sum(x[:, :channels] - h for x in alone.values())
        torch.testing.assert_close(found[:, :channels], added, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(found[:, channels:], alone["concat"][:, channels:])


# dropping


@pytest.mark.parametrize("name", NAMES)
def test_dropping_is_for_the_images_that_are_marked_and_for_no_other(name: str) -> None:
    conditioner = built(name, "maps")
    context = context_of(conditioner)
    dropped = conditioner.drop(context, torch.tensor([True, False, False]))
    for before, after, null in zip(context, dropped, nulls(conditioner), strict=True):
        assert torch.equal(after[1:], before[1:])
        torch.testing.assert_close(after[0], null.expand_as(after[0]))
        assert null.abs().max() > 0


def nulls(conditioner: Conditioner) -> list[Tensor]:
    """In the order of the context."""
    parts = getattr(conditioner, "parts", None) or [conditioner]
    return [null for part in parts for null in part.null]


@pytest.mark.parametrize("name", NAMES)
def test_a_null_is_learned_and_starts_at_zero(name: str) -> None:
    conditioner = zoo.create_conditioner(name, SPECS["maps"], LEVELS)
    assert nulls(conditioner)
    for null in nulls(conditioner):
        assert null.requires_grad
        assert null.abs().max() == 0


def test_a_conditioner_that_uses_no_features_has_no_context() -> None:
    conditioner = zoo.create_conditioner("none", SPECS["maps"], LEVELS)
    assert conditioner.prepare(features_of(SPECS["maps"]), SIZE) == ()
    assert torch.equal(conditioner.inject(stage(0), 0, ()), stage(0))


# sums


class Embedding(Conditioner):
    """Adds the mean of the finest map to the embedding of time."""

    def __init__(self, spec: FeatureSpec, denoiser_levels: tuple[FeatureLevel, ...]) -> None:
        super().__init__(spec, denoiser_levels)
        self.null = torch.nn.ParameterList([torch.nn.Parameter(torch.zeros(16))])

    def prepare(self, features: Features, size: tuple[int, int]) -> Context:
        return (features.maps[0].mean(dim=(2, 3)),)

    def embed(self, context: Context) -> Tensor:
        return context[0]


def test_a_sum_embeds_the_sum_of_what_its_parts_embed() -> None:
    sum_ = zoo.create_conditioner("sum", SPECS["maps"], LEVELS, parts={"add": {}, "film": {}})
    parts = [Embedding(SPECS["maps"], LEVELS), zoo.create_conditioner("film", SPECS["maps"], LEVELS)]
    sum_.parts = torch.nn.ModuleList([*parts, Embedding(SPECS["maps"], LEVELS)])
    features = features_of(SPECS["maps"])
    expected = 2 * features.maps[0].mean(dim=(2, 3))
    torch.testing.assert_close(sum_.embed(sum_.prepare(features, SIZE)), expected)


def test_a_sum_of_parts_that_embed_nothing_embeds_nothing() -> None:
    sum_ = built("sum", "maps")
    assert sum_.embed(context_of(sum_)) is None


def test_the_order_in_which_the_parts_of_a_sum_are_written_does_not_matter() -> None:
    one, other = (
        built("sum", "maps", parts={name: {} for name in names}) for names in (("concat", "film"), ("film", "concat"))
    )
    for a, b in zip(context_of(one), context_of(other), strict=True):
        assert torch.equal(a, b)
