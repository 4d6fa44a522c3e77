"""The kit finds each broken check, and says which it is and how it is broken."""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import zoo
from zoo.conditioners import Conditioner, Context
from zoo.conformance import assert_conforms, check
from zoo.conformance._process import seen
from zoo.data import Dataset, Split
from zoo.encoders import Encoder
from zoo.errors import ZooError
from zoo.features import FeatureLevel, Features, FeatureSpec
from zoo.metrics import Extractor, FeatureMetric, Metric, Score
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


def broken(monkeypatch: pytest.MonkeyPatch, kind: str, cls: type, **options: Any) -> dict[str, str]:
    """The checks that a class breaks, and how."""
    monkeypatch.setitem(REGISTRIES[kind]._classes, "mine", cls)
    return {result.check: result.detail for result in check(kind, "mine", options, costs=False).broken}


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


class Distance(Metric):
    """Mean absolute difference; sound."""

    better: bool | None = False

    def __init__(self) -> None:
        self.values: list[Tensor] = []

    def names(self) -> dict[str, bool | None]:
        return {"distance": False}

    def update(self, pred: Tensor, truth: Tensor) -> None:
        self.values.append((pred - truth).abs().mean((1, 2, 3)))

    def compute(self) -> list[Score]:
        if not self.values:
            return self.missing("no images")
        values = torch.cat(self.values)
        return [Score("distance", self.value(values), self.better, per_image=values)]

    def value(self, values: Tensor) -> float:
        return values.mean().item()


class OtherSide(Distance):
    better = True


class UpsideDown(Distance):
    def update(self, pred: Tensor, truth: Tensor) -> None:
        self.values.append(1 - (pred - truth).abs().mean((1, 2, 3)))


class LastBatch(Distance):
    def update(self, pred: Tensor, truth: Tensor) -> None:
        self.values = []
        super().update(pred, truth)


class NotTheMean(Distance):
    def value(self, values: Tensor) -> float:
        return values.max().item()


class Spoils(Distance):
    def update(self, pred: Tensor, truth: Tensor) -> None:
        super().update(pred, truth)
        pred.zero_()


class Talks(Distance):
    def compute(self) -> list[Score]:
        sys.stderr.write("scoring")
        return super().compute()


class SeedsNumpy(Distance):
    def update(self, pred: Tensor, truth: Tensor) -> None:
        np.random.seed(0)
        super().update(pred, truth)


class Spread(Distance):
    """Of samples; sound."""

    samples = 3

    def update_samples(self, samples: Tensor, truth: Tensor) -> None:
        self.values.append((samples - truth).abs().mean((0, 2, 3, 4)))


class TakesNone(Distance):
    samples = 2


class HalfAnImage(Distance):
    images = 0


class SpoilsSamples(Spread):
    def update_samples(self, samples: Tensor, truth: Tensor) -> None:
        super().update_samples(samples, truth)
        samples.zero_()


class MeanColor:
    identity = "mean colour"

    def __call__(self, rgb: Tensor) -> Tensor:
        return rgb.mean((2, 3))


class ColorDistance(FeatureMetric):
    """Of the images' mean colours; sound."""

    extractor: Extractor = MeanColor()

    def __init__(self) -> None:
        self.values: list[Tensor] = []

    def names(self) -> dict[str, bool | None]:
        return {"distance": False}

    def update_features(self, pred: Tensor, truth: Tensor) -> None:
        self.values.append((pred - truth).norm(dim=1))

    def compute(self) -> list[Score]:
        if not self.values:
            return self.missing("no images")
        values = torch.cat(self.values)
        return [Score("distance", values.mean().item(), False, per_image=values)]


class LooksElsewhere(ColorDistance):
    def update(self, pred: Tensor, truth: Tensor) -> None:
        self.update_features(pred.amax((2, 3)), truth.amax((2, 3)))


class Nameless(ColorDistance):
    def load(self, device: str) -> None:
        self.extractor = MeanColor()
        self.extractor.identity = str(id(self))


@pytest.mark.parametrize(
    ("cls", "check"),
    [
        (TakesNone, "asks for samples that it takes in"),
        (HalfAnImage, "asks for samples that it takes in"),
        (SpoilsSamples, "leaves its input as it was"),
        (LooksElsewhere, "gives the same for features as for images"),
        (Nameless, "gives the same for features as for images"),
        (OtherSide, "gives the scores that it names"),
        (UpsideDown, "scores identical pictures best"),
        (LastBatch, "gives the same in any batches and order"),
        (NotTheMean, "gives the mean of its values per image"),
        (Spoils, "leaves its input as it was"),
        (Talks, "prints nothing and sets no seed"),
        (SeedsNumpy, "prints nothing and sets no seed"),
    ],
)
def test_a_broken_promise_of_a_metric_is_found(cls: type[Metric], check: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check in broken(monkeypatch, "metric", cls)


@pytest.mark.parametrize("cls", [Distance, Spread, ColorDistance])
def test_a_sound_metric_breaks_none(cls: type[Metric], monkeypatch: pytest.MonkeyPatch) -> None:
    assert broken(monkeypatch, "metric", cls) == {}


@pytest.mark.parametrize("name", zoo.list_metrics())
def test_every_metric_keeps_its_contract(name: str) -> None:
    assert_conforms("metric", name)


class Dots(Dataset):
    """Sound."""

    def keys(self, split: Split) -> list[str]:
        return [f"{split}/{i}" for i in range(3)]

    def signature(self, split: Split) -> str:
        return "1"

    def load(self, key: str) -> np.ndarray:
        return np.full((8, 8, 3), len(key), np.uint8)


class OneForAll(Dots):
    def keys(self, split: Split) -> list[str]:
        return ["a", "b"]


class Unsorted(Dots):
    def keys(self, split: Split) -> list[str]:
        return super().keys(split)[::-1]


class Floats(Dots):
    def load(self, key: str) -> np.ndarray:
        return super().load(key) / 255


class Noise(Dots):
    def load(self, key: str) -> np.ndarray:
        return np.random.default_rng().integers(0, 255, (8, 8, 3), np.uint8)


class ByHash(Dots):
    """Takes its images by Python's hash of text, which every process draws anew."""

    def keys(self, split: Split) -> list[str]:
        return sorted(f"{split}/{hash(key) % 1000}" for key in super().keys(split))


class PaintsByHash(Dots):
    def load(self, key: str) -> np.ndarray:
        return np.full((8, 8, 3), hash(key) % 251, np.uint8)


class ByTurn(Dots):
    """Each key is the picture of the turn at which it was first asked for."""

    def load(self, key: str) -> np.ndarray:
        turns = vars(self).setdefault("turns", {})
        return np.full((8, 8, 3), turns.setdefault(key, len(turns)), np.uint8)


class Lists(Dots):
    def keys(self, split: Split) -> list[str]:
        sys.stdout.write("listing")
        return super().keys(split)


class SeedsRandom(Dots):
    def load(self, key: str) -> np.ndarray:
        random.seed(0)
        return super().load(key)


ELSEWHERE = "gives the same in another process"


@pytest.mark.parametrize(
    ("cls", "checks"),
    [
        (OneForAll, {"shares no image between splits"}),
        (Unsorted, {"names its images sorted and once"}),
        (Floats, {"gives square color images of 8 bits"}),
        (Noise, {"gives the same image every time", ELSEWHERE}),
        (ByHash, {ELSEWHERE}),
        (PaintsByHash, {ELSEWHERE}),
        (ByTurn, {ELSEWHERE}),
        (Lists, {"prints nothing and sets no seed"}),
        (SeedsRandom, {"prints nothing and sets no seed"}),
    ],
)
def test_a_broken_promise_of_a_dataset_is_found(
    cls: type[Dataset], checks: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if ELSEWHERE not in checks:  # then another process is not worth its seconds
        monkeypatch.setattr("zoo.conformance.dataset.seen_elsewhere", lambda cls, options, n: seen(cls(**options), n))
    assert set(broken(monkeypatch, "dataset", cls)) == checks


def test_the_painted_faces_keep_the_promises_of_a_dataset() -> None:
    assert_conforms("dataset", "synthetic", n_train=5, n_val=2, n_test=2, size=32)


# the kit itself


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
