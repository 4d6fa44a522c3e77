"""Each promise of a conditioner has one that breaks it, and is found to."""

from __future__ import annotations

import sys

import pytest
import torch
from torch import Tensor, nn

from support.conforming import broken
from zoo.conditioners import Conditioner, Context
from zoo.features import FeatureLevel, Features, FeatureSpec


class AddsAtOnce(Conditioner):
    """Sound but for its first effect, which is not zero; each of the others breaks one more check."""

    def __init__(self, spec: FeatureSpec, denoiser_levels: tuple[FeatureLevel, ...]) -> None:
        super().__init__(spec, denoiser_levels)
        self.widths = [level.channels for level in denoiser_levels]
        dim = spec.token_dim if spec.token_dim is not None else spec.levels[-1].channels
        self.layers = nn.ModuleList(nn.Linear(dim, width) for width in self.widths)
        self.null = nn.ParameterList(nn.Parameter(torch.zeros(width)) for width in self.widths)

    def prepare(self, features: Features, size: tuple[int, int]) -> Context:
        mean = features.maps[-1].mean((2, 3)) if features.tokens is None else features.tokens.mean(1)
        return tuple(layer(mean) for layer in self.layers)

    def inject(self, h: Tensor, level: int, context: Context) -> Tensor:
        return h + context[level][:, :, None, None]


class JoinsMore(AddsAtOnce):
    def extra_channels(self, level: int) -> int:
        return 16


class Leaks(AddsAtOnce):
    def drop(self, context: Context, where: Tensor) -> Context:
        return context


class FewNulls(AddsAtOnce):
    def __init__(self, spec: FeatureSpec, denoiser_levels: tuple[FeatureLevel, ...]) -> None:
        super().__init__(spec, denoiser_levels)
        self.null = self.null[:1]


class MixesImages(AddsAtOnce):
    def prepare(self, features: Features, size: tuple[int, int]) -> Context:
        return tuple(c - c.mean(0) for c in super().prepare(features, size))


class Deaf(AddsAtOnce):
    def prepare(self, features: Features, size: tuple[int, int]) -> Context:
        return tuple(0 * c for c in super().prepare(features, size))


class Chatty(AddsAtOnce):
    def prepare(self, features: Features, size: tuple[int, int]) -> Context:
        sys.stdout.write("preparing")
        return super().prepare(features, size)


class SeedsTorch(AddsAtOnce):
    def inject(self, h: Tensor, level: int, context: Context) -> Tensor:
        torch.manual_seed(0)
        return super().inject(h, level, context)


class TakesAnything(AddsAtOnce):
    def __init__(self, spec: FeatureSpec, denoiser_levels: tuple[FeatureLevel, ...]) -> None:
        super().__init__(spec if spec.levels or spec.token_dim else FeatureSpec(token_dim=1), denoiser_levels)


@pytest.mark.parametrize(
    ("cls", "check", "how"),
    [
        (AddsAtOnce, "starts as the unconditioned net", "predictions with it and without it: they differ"),
        (JoinsMore, "joins the channels that it announces", "stage 0: expected (3, 48, 8, 12) of inject"),
        (Leaks, "hides an image that is dropped", "still depends on the image"),
        (FewNulls, "has a null for each tensor of its context", "keep one null for each tensor"),
        (MixesImages, "sees each image by itself", "an image among others and by itself"),
        (Deaf, "lets the features matter once trained", "other features change nothing"),
        (Chatty, "prints nothing and sets no seed", "it prints 'preparing"),
        (SeedsTorch, "prints nothing and sets no seed", "it sets the seed of torch"),
        (TakesAnything, "refuses an encoder without features", "call super().__init__"),
    ],
)
def test_a_broken_promise_of_a_conditioner_is_found(
    cls: type[Conditioner], check: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert how in broken(monkeypatch, "conditioner", cls)[check]
