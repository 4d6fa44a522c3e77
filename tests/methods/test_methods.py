"""Methods are plug-ins like the others, and say of themselves what the benchmark must know."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor

import zoo
from support.outputs import outputs_of, painted
from zoo.conformance import assert_conforms, check
from zoo.conformance.checks import Report
from zoo.errors import ZooError
from zoo.features import Features
from zoo.methods import Method, Photos
from zoo.registry import methods


@pytest.mark.parametrize("name", zoo.list_methods())
def test_every_built_in_method_keeps_the_contract(name: str, tmp_path: Path) -> None:
    options = {"root": outputs_of(painted(), tmp_path)} if name == "folder" else {}
    assert_conforms("method", name, **options)


def test_an_unknown_method_is_told_with_the_close_one() -> None:
    with pytest.raises(ZooError, match="unknown method 'regresion'; did you mean 'regression'"):
        methods.get("regresion")


@pytest.mark.parametrize("name", zoo.list_methods())
def test_what_trains_depends_on_a_seed(name: str) -> None:
    cls = methods.get(name)
    assert cls.draws >= cls.trains


def test_asking_what_a_method_is_like_takes_no_torch() -> None:
    ask = "[zoo.registry.methods.get(name).draws for name in zoo.list_methods()]"
    asked = f"import sys, zoo; {ask}; print('torch' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"


class Lucky(Method):
    """Says that it draws nothing, and draws."""

    def sample(self, photos: Photos, features: Features, generators: Sequence[torch.Generator]) -> Tensor:
        return torch.stack([torch.randn(photos.ab.shape[1:], generator=g) for g in generators])


class Careless(Method):
    """Draws from everybody's random numbers."""

    draws = True

    def sample(self, photos: Photos, features: Features, generators: Sequence[torch.Generator]) -> Tensor:
        return torch.rand_like(photos.ab)


class Sociable(Method):
    """Looks at the other photos of the batch."""

    def sample(self, photos: Photos, features: Features, generators: Sequence[torch.Generator]) -> Tensor:
        return photos.ab - photos.ab.mean(0)


class Rude(Method):
    """Writes into the photos."""

    def sample(self, photos: Photos, features: Features, generators: Sequence[torch.Generator]) -> Tensor:
        return photos.ab.mul_(0.5)


class Small(Method):
    """Gives half the size."""

    def sample(self, photos: Photos, features: Features, generators: Sequence[torch.Generator]) -> Tensor:
        return photos.ab[:, :, ::2, ::2]


@pytest.fixture
def examined(monkeypatch: pytest.MonkeyPatch) -> Callable[[type[Method]], Report]:
    def look(cls: type[Method]) -> Report:
        monkeypatch.setitem(methods._classes, "examined", cls)
        return check("method", "examined")

    return look


@pytest.mark.parametrize(
    ("cls", "promise"),
    [
        (Lucky, "depends on no seed where it says so"),
        (Careless, "gives the same colors for the same seed"),
        (Sociable, "colors a photo the same alone and among others"),
        (Rude, "leaves the photos as they are"),
        (Small, "gives finite chroma of the photo s size"),
    ],
)
def test_a_broken_promise_of_a_method_is_found(
    cls: type[Method], promise: str, examined: Callable[[type[Method]], Report]
) -> None:
    assert promise in {result.check for result in examined(cls).broken}
