"""The checks of denoisers: built-in ones keep them; what breaks one is told how."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import zoo
from support.conforming import broken
from zoo.conformance import assert_conforms
from zoo.denoisers import Denoiser
from zoo.features import FeatureLevel

SMALL_DENOISERS: dict[str, dict[str, Any]] = {
    "unet": {"width": 32, "hints": True},
    "origin": {"width": 32, "mults": [1, 2]},
    "dit": {"dim": 32, "depth": 3, "mlp_ratio": 1, "patch": 2},
}


@pytest.mark.parametrize("name", zoo.list_denoisers("[!m]*"))
def test_every_denoiser_keeps_its_contract(name: str) -> None:
    assert_conforms("denoiser", name, **SMALL_DENOISERS[name])


class Small(Denoiser):
    """Sound; each of the others breaks a check."""

    chroma_scale, embed_dim = 4, 16

    def __init__(self, *, extra: tuple[int, ...] = ()) -> None:
        super().__init__()
        joined = extra[0] if extra else 0
        self.enter = nn.Conv2d(2 + 16, 16, 1)
        self.time = nn.Linear(1, 16)
        self.leave = nn.Conv2d(16 + joined, 2, 3, padding=1)

    @classmethod
    def levels(cls, **options: Any) -> tuple[FeatureLevel, ...]:
        return (FeatureLevel(16, 4),)

    def forward(self, ab_t: Tensor, L: Tensor, t: Tensor, inject: Any, embedding: Tensor | None) -> Tensor:
        h = self.enter(torch.cat([ab_t, nn.functional.pixel_unshuffle(L, 4)], dim=1))
        e = self.time(t[:, None])
        e = e if embedding is None else e + embedding
        return self.leave(torch.tanh(self.entered(h + e[:, :, None, None], inject)))

    def entered(self, h: Tensor, inject: Any) -> Tensor:
        return inject(h, 0)


class EntersTwice(Small):
    def entered(self, h: Tensor, inject: Any) -> Tensor:
        inject(h, 0)
        return inject(h, 0)


class Blind(Small):
    def forward(self, ab_t: Tensor, L: Tensor, t: Tensor, inject: Any, embedding: Tensor | None) -> Tensor:
        return super().forward(ab_t, torch.zeros_like(L), t, inject, embedding)


class Timeless(Small):
    def forward(self, ab_t: Tensor, L: Tensor, t: Tensor, inject: Any, embedding: Tensor | None) -> Tensor:
        return super().forward(ab_t, L, t, inject, None)


class Deaf(Small):
    def entered(self, h: Tensor, inject: Any) -> Tensor:
        return inject(h, 0) * torch.tensor([1.0] * 16 + [0.0] * 100)[: inject(h, 0).shape[1], None, None]


class Mixes(Small):
    def entered(self, h: Tensor, inject: Any) -> Tensor:
        return inject(h - h.mean(dim=0), 0)


class Larger(Small):
    def forward(self, ab_t: Tensor, L: Tensor, t: Tensor, inject: Any, embedding: Tensor | None) -> Tensor:
        return nn.functional.interpolate(super().forward(ab_t, L, t, inject, embedding), scale_factor=2.0)


class Idle(Small):
    def __init__(self, *, extra: tuple[int, ...] = ()) -> None:
        super().__init__(extra=extra)
        self.unused = nn.Linear(2, 2)


class Unseeded(Small):
    def __init__(self, *, extra: tuple[int, ...] = ()) -> None:
        super().__init__(extra=extra)
        nn.init.normal_(self.enter.weight, generator=torch.Generator().manual_seed(torch.seed()))


class Heedless(Small):
    def __init__(self, *, hints: bool = False, extra: tuple[int, ...] = ()) -> None:
        super().__init__(extra=extra)
        self.hints = hints

    def forward(self, *args: Any, hints: Tensor | None = None, **more: Any) -> Tensor:
        return super().forward(*args, **more)


def test_a_sound_denoiser_breaks_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert broken(monkeypatch, "denoiser", Small) == {}


@pytest.mark.parametrize(
    ("denoiser", "check", "how"),
    [
        (EntersTwice, "enters each level once and in order", "expected by levels(): [(0, (2, 16, 8, 9))]"),
        (Blind, "depends on ab L and t", "another L changes nothing"),
        (Timeless, "depends on what is added to the embedding of time", "it changes nothing"),
        (Deaf, "depends on what is joined", "channels that are joined at level 0 change nothing"),
        (Mixes, "sees each image by itself", "an image among others and by itself"),
        (Larger, "predicts at the resolution of ab", "of L 32 × 36 it predicts (2, 2, 16, 18), not (2, 2, 8, 9)"),
        (Idle, "trains every parameter", "no gradient reaches unused.weight"),
        (Unseeded, "draws its weights from the seed of torch", "they differ by up to"),
        (Heedless, "depends on hints where it takes them", "hints change nothing"),
    ],
)
def test_a_denoiser_that_breaks_its_contract_is_told_how(
    monkeypatch: pytest.MonkeyPatch, denoiser: type[Denoiser], check: str, how: str
) -> None:
    assert how in broken(monkeypatch, "denoiser", denoiser)[check]
