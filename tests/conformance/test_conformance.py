"""The kit finds each promise that an encoder breaks, and says which it is and how it is broken."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from support.conforming import broken
from zoo.conformance import assert_conforms, check
from zoo.encoders import Encoder
from zoo.errors import ZooError
from zoo.features import FeatureLevel, Features, FeatureSpec
from zoo.registry import REGISTRIES


class Sound(Encoder):
    """Breaks no check; each of the others breaks one."""

    def __init__(self, frozen: bool = False) -> None:
        super().__init__(FeatureSpec((FeatureLevel(4, 2),)), frozen=frozen)
        self.conv = nn.Conv2d(1, 4, 3, stride=2, padding=1)
        self.freeze()

    def forward(self, L: Tensor) -> Features:
        return Features((self.conv(L),), None)


class WrongStride(Sound):
    def __init__(self, frozen: bool = False) -> None:
        super().__init__(frozen)
        self.spec = FeatureSpec((FeatureLevel(4, 4),))


class RoundsDown(Sound):
    def forward(self, L: Tensor) -> Features:
        return Features((self.conv(L)[..., : L.shape[-2] // 2, : L.shape[-1] // 2],), None)


class Loud(Sound):
    def forward(self, L: Tensor) -> Features:
        return Features((1e6 * self.conv(L),), None)


class Random(Sound):
    def forward(self, L: Tensor) -> Features:
        return Features((self.conv(L + torch.rand_like(L)),), None)


class Mixing(Sound):
    def forward(self, L: Tensor) -> Features:
        return Features((self.conv(L - L.mean()),), None)


class InPlace(Sound):
    def forward(self, L: Tensor) -> Features:
        return Features((self.conv(L.mul_(0.5)),), None)


class NeverFrozen(Sound):
    def freeze(self) -> None:
        pass


class Idle(Sound):
    def __init__(self, frozen: bool = False) -> None:
        super().__init__(frozen)
        self.unused = nn.Linear(1, 1)
        self.freeze()


class Unseeded(Sound):
    def __init__(self, frozen: bool = False) -> None:
        super().__init__(frozen)
        torch.nn.init.normal_(self.conv.bias, generator=torch.Generator().manual_seed(torch.seed() % 2**60))  # type: ignore[arg-type]


class Elsewhere(Sound):
    """Keeps a tensor that is no buffer."""

    def __init__(self, frozen: bool = False) -> None:
        super().__init__(frozen)
        self.shift = torch.ones(1, 4, 1, 1)

    def forward(self, L: Tensor) -> Features:
        return Features((self.conv(L) + self.shift,), None)


class Hidden(Sound):
    """Keeps a random tensor that is in no state_dict."""

    def __init__(self, frozen: bool = False) -> None:
        super().__init__(frozen)
        self.register_buffer("shift", torch.randn(1, 4, 1, 1), persistent=False)

    def forward(self, L: Tensor) -> Features:
        return Features((self.conv(L) + self.get_buffer("shift"),), None)


class Blind(Sound):
    def forward(self, L: Tensor) -> Features:
        return super().forward(torch.zeros_like(L))


class Printing(Sound):
    def forward(self, L: Tensor) -> Features:
        sys.stdout.write(f"seen {tuple(L.shape)}")
        return super().forward(L)


class Seeding(Sound):
    def __init__(self, frozen: bool = False) -> None:
        torch.manual_seed(0)
        super().__init__(frozen)


class SeedingNumpy(Sound):
    def forward(self, L: Tensor) -> Features:
        np.random.seed(0)
        return super().forward(L)


class Nameless(Sound):
    """Loads weights that nothing tells from others."""

    def __init__(self, frozen: bool = False, pretrained: bool = True) -> None:
        super().__init__(frozen)
        if pretrained:
            nn.init.constant_(self.conv.weight, 0.5)


class Untrained(Sound):
    """Forgets that random weights have no hash."""

    def __init__(self, frozen: bool = False, pretrained: bool = True) -> None:
        super().__init__(frozen)
        self.weights_sha = "0" * 64


@pytest.mark.parametrize(
    ("cls", "check", "how"),
    [
        (WrongStride, "gives the features that it declares", "declared map 0 as (2, 4, 8, 8), gave (2, 4, 16, 16)"),
        (RoundsDown, "takes images of any size", "declared map 0 as (1, 4, 19, 23), gave (1, 4, 18, 23)"),
        (Loud, "gives finite values of a usable size", "normalise them"),
        (Random, "gives the same twice", "they differ by up to"),
        (Mixing, "sees each image by itself", "they differ by up to"),
        (InPlace, "leaves its input as it was", "they differ by up to"),
        (NeverFrozen, "stays in eval mode without gradients when frozen", "call self.freeze()"),
        (Idle, "trains every parameter when not frozen", "no gradient reaches unused.weight and 1 more"),
        (Unseeded, "draws its weights from the seed of torch", "they differ by up to"),
        (Elsewhere, "follows to another device", "register tensors as buffers"),
        (Hidden, "is all in its options and state dict", "they differ by up to"),
        (Blind, "sees L", "other images give the same features: it ignores L"),
        (Printing, "prints nothing and sets no seed", "it prints 'seen (2, 1, 32, 32)"),
        (Seeding, "prints nothing and sets no seed", "it sets the seed of torch for the whole process"),
        (SeedingNumpy, "prints nothing and sets no seed", "it sets the seed of numpy.random"),
        (Nameless, "names its pretrained weights by their hash", "it loads pretrained weights and leaves weights_sha"),
        (Untrained, "names its pretrained weights by their hash", "with pretrained=False; expected None"),
    ],
)
def test_a_broken_promise_of_an_encoder_is_found(
    cls: type[Encoder], check: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = broken(monkeypatch, "encoder", cls)
    assert how in found[check]


def test_a_sound_encoder_breaks_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert broken(monkeypatch, "encoder", Sound) == {}


def test_an_assertion_names_every_broken_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(REGISTRIES["encoder"]._classes, "mine", Random)
    with pytest.raises(AssertionError, match=r"encoder 'mine' fails [2-9] of its checks:\n  gives the same twice: "):
        assert_conforms("encoder", "mine")


def test_a_constructor_that_fails_is_a_broken_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    class Faulty(Sound):
        def __init__(self) -> None:
            raise RuntimeError("a bug")

    assert broken(monkeypatch, "encoder", Faulty) == {"is built from its options": "it raised RuntimeError: a bug"}


@pytest.mark.parametrize(
    ("kind", "name", "options", "said"),
    [
        ("encoder", "unett", {}, "did you mean 'unet'"),
        ("encoders", "unet", {}, "unknown kind 'encoders'"),
        ("encoder", "unet", {"widht": 3}, "unexpected keyword argument 'widht'"),
        ("conditioner", "concat", {"channels": 10}, "multiple of 16"),
        ("dataset", "folder", {}, r"needs root=\.\.\."),
    ],
)
def test_what_cannot_be_looked_at_is_an_error_of_the_user(
    kind: str, name: str, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(ZooError, match=said):
        check(kind, name, options)


def test_absent_weights_are_replaced_by_random_ones_and_the_report_says_so(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    looked_at: Sequence[Any] = []
    monkeypatch.setattr("zoo.conformance.look", lambda checks, subject: looked_at)
    report = check("encoder", "facenet")
    assert report.note == "its weights are not here: looked at with pretrained=False"
    assert report.options == {"pretrained": False}
