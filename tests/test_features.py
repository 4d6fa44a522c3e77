"""What an encoder gives: maps alone, tokens alone or both; anything else is told."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from zoo.features import FeatureLevel, Features, FeatureSpec, disagreement

MAP, TOKENS = torch.zeros(2, 4, 8, 8), torch.zeros(2, 1, 6)
LEVEL = FeatureLevel(4, 2)


def told(features: Any, spec: FeatureSpec) -> str | None:
    return disagreement(features, spec, (16, 16), 2)


def test_maps_alone_tokens_alone_and_both_are_what_they_are_called() -> None:
    assert Features((MAP,)) == ((MAP,), None)
    assert Features(tokens=TOKENS) == ((), TOKENS)
    assert Features() == ((), None)


@pytest.mark.parametrize(
    ("features", "spec"),
    [
        (Features((MAP,)), FeatureSpec((LEVEL,))),
        (Features(tokens=TOKENS), FeatureSpec(token_dim=6)),
        (Features((MAP,), TOKENS), FeatureSpec((LEVEL,), token_dim=6)),
    ],
    ids=["maps", "tokens", "both"],
)
def test_features_as_declared_are_not_objected_to(features: Features, spec: FeatureSpec) -> None:
    assert told(features, spec) is None
    assert told(features, FeatureSpec((LEVEL, LEVEL), token_dim=7)) is not None


@pytest.mark.parametrize(
    ("features", "given"),
    [
        (Features(MAP), "(Tensor, NoneType)"),  # type: ignore[arg-type]  # two images, which pass for two maps
        (Features([MAP], TOKENS), "(list, Tensor)"),  # type: ignore[arg-type]
        (Features((MAP,), (TOKENS,)), "(tuple, tuple)"),  # type: ignore[arg-type]
    ],
)
def test_a_tensor_in_the_place_of_maps_is_told_as_such(features: Features, given: str) -> None:
    expected = f"zoo.Features takes a tuple of maps and one tensor of tokens or None, not {given}"
    assert told(features, FeatureSpec((LEVEL, LEVEL))) == expected
