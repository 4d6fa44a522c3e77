"""What each conditioner lets through: which maps and tokens matter, and at which place."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from support.conditioning import NAMES, built, stage
from support.opened import normal
from zoo.conditioners import Conditioner
from zoo.conformance.conditioner import LEVELS, SIZE, SPECS, features_of
from zoo.diffusion.layers import position_code
from zoo.features import Features

MAPS_EVERYWHERE = ["add", "concat", "spade"]


# (conditioner, kind of encoder) → the maps that matter, and whether tokens do
SEEN: dict[tuple[str, str], tuple[list[int], bool]] = {
    **{(name, "maps"): ([0, 1, 2], False) for name in MAPS_EVERYWHERE},
    **{(name, "both"): ([0, 1], False) for name in MAPS_EVERYWHERE},
    ("film", "maps"): ([2], False),
    ("film", "both"): ([], True),
    ("xattn", "maps"): ([2], False),
    ("xattn", "both"): ([1], True),
    ("sum", "maps"): ([0, 1, 2], False),
    ("sum", "both"): ([0, 1], True),
    **{(name, "tokens"): ([], True) for name in NAMES},
}


@torch.no_grad()
def injected(conditioner: Conditioner, features: Features) -> list[Tensor]:
    context = conditioner.prepare(features, SIZE)
    return [conditioner.inject(stage(i), i, context) for i in range(len(LEVELS))]


def differ(a: list[Tensor], b: list[Tensor]) -> bool:
    return any(bool((x - y).abs().max() > 1e-4) for x, y in zip(a, b, strict=True))


# what matters


def with_map(features: Features, i: int) -> Features:
    maps = list(features.maps)
    maps[i] = normal(*maps[i].shape, seed=77)
    return features._replace(maps=tuple(maps))


def with_token(features: Features, i: int) -> Features:
    assert features.tokens is not None
    tokens = features.tokens.clone()
    tokens[:, i] = normal(*tokens[:, i].shape, seed=77)
    return features._replace(tokens=tokens)


@pytest.mark.parametrize(("name", "kind"), SEEN)
def test_the_maps_that_should_matter_do_and_no_other(name: str, kind: str) -> None:
    conditioner, features = built(name, kind), features_of(SPECS[kind])
    before = injected(conditioner, features)
    matter = [i for i in range(len(features.maps)) if differ(before, injected(conditioner, with_map(features, i)))]
    assert matter == SEEN[name, kind][0]


@pytest.mark.parametrize("token", [0, 1])
@pytest.mark.parametrize(("name", "kind"), [pair for pair in SEEN if pair[1] != "maps"])
def test_each_token_matters_where_tokens_should(name: str, kind: str, token: int) -> None:
    conditioner, features = built(name, kind), features_of(SPECS[kind])
    matters = differ(injected(conditioner, features), injected(conditioner, with_token(features, token)))
    assert matters == SEEN[name, kind][1]


@pytest.mark.parametrize(
    ("name", "options", "maps", "tokens"),
    [
        ("concat", {"source": "embedding"}, [], True),
        ("xattn", {"maps": None}, [0, 1], True),
        ("xattn", {"maps": None, "embedding": False}, [0, 1], False),
        ("xattn", {"maps": 0}, [], True),
    ],
)
def test_what_a_conditioner_sees_can_be_told_from_how(
    name: str, options: dict[str, Any], maps: list[int], tokens: bool
) -> None:
    conditioner, features = built(name, "both", **options), features_of(SPECS["both"])
    usual = injected(conditioner, features)
    assert [i for i in range(2) if differ(injected(conditioner, with_map(features, i)), usual)] == maps
    assert differ(injected(conditioner, with_token(features, 0)), usual) == tokens


@pytest.mark.parametrize("name", NAMES)
def test_every_stage_gets_something_from_the_features(name: str) -> None:
    conditioner = built(name, "maps")
    found = [injected(conditioner, features_of(SPECS["maps"], seed=seed)) for seed in (0, 20)]
    each = [differ([a], [b]) for a, b in zip(*found, strict=True)]
    assert each == ([False, True] if name == "xattn" else [True, True])  # its attention is at the coarser half


@pytest.mark.parametrize(("maps", "expected"), [(1, [2]), (2, [1, 2]), (3, [0, 1, 2])])
def test_cross_attention_takes_as_many_of_the_coarsest_maps_as_it_is_told(maps: int, expected: list[int]) -> None:
    features, conditioner = features_of(SPECS["maps"]), built("xattn", "maps", maps=maps)
    before = injected(conditioner, features)
    assert [i for i in range(3) if differ(before, injected(conditioner, with_map(features, i)))] == expected


# where it matters


@pytest.mark.parametrize("name", MAPS_EVERYWHERE)
@pytest.mark.parametrize(("row", "column"), [(0, 0), (0, -1), (-1, 0)])
def test_a_map_acts_at_its_own_place(name: str, row: int, column: int) -> None:
    conditioner, features = built(name, "maps"), features_of(SPECS["maps"])
    changed = features.maps[0].clone()
    changed[:, :, row, column] += 5 * normal(16, seed=3)
    other = features._replace(maps=(changed, *features.maps[1:]))
    for a, b in zip(injected(conditioner, features), injected(conditioner, other), strict=True):
        moved = (a - b).abs().sum(dim=(0, 1))
        height, width = moved.shape
        y, x = divmod(int(moved.argmax()), width)
        # a convolution over the map may put the largest change beside it
        assert max(abs(y - row % height), abs(x - column % width)) <= (name == "spade")


def permuted(x: Tensor, order: Tensor) -> Tensor:
    """(N, C, h, w) with its positions in another order."""
    return x.flatten(2)[:, :, order].view_as(x)


def test_cross_attention_knows_where_in_a_map_its_tokens_were() -> None:
    conditioner, features = built("xattn", "maps"), features_of(SPECS["maps"])
    x = features.maps[2]
    order = torch.randperm(x[0, 0].numel(), generator=torch.Generator().manual_seed(0))
    other = features._replace(maps=(*features.maps[:2], permuted(x, order)))
    assert differ(injected(conditioner, features), injected(conditioner, other))


def test_cross_attention_does_not_heed_the_order_of_an_encoder_s_tokens() -> None:
    """They have no place: only maps do."""
    conditioner, features = built("xattn", "tokens"), features_of(SPECS["tokens"])
    assert features.tokens is not None
    other = features._replace(tokens=features.tokens.flip(1))
    assert not differ(injected(conditioner, features), injected(conditioner, other))


def test_cross_attention_knows_where_in_a_stage_it_asks_from() -> None:
    conditioner = built("xattn", "maps")
    context = conditioner.prepare(features_of(SPECS["maps"]), SIZE)
    flat = stage(1)[:, :, :1, :1].expand_as(stage(1)).contiguous()  # the same at every place
    with torch.no_grad():
        added = (conditioner.inject(flat, 1, context) - flat).flatten(2)
    assert (added.std(dim=2) > 1e-4).any()


def test_every_place_has_a_code_of_its_own() -> None:
    code = position_code((5, 7), 32, torch.device("cpu"))
    assert code.shape == (35, 32)
    assert torch.pdist(code).min() > 0.1


def test_the_code_of_a_place_is_by_its_fraction_of_the_image_and_not_by_its_number() -> None:
    small, large = (position_code((n, n), 16, torch.device("cpu")).view(n, n, 16) for n in (3, 9))
    torch.testing.assert_close(small[0, 2], large[1, 7], rtol=0, atol=1e-5)
    assert not torch.allclose(small[0, 2], small[2, 0], atol=0.1)
