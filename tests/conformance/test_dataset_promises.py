"""Each promise of a data set has one that breaks it, and is found to."""

from __future__ import annotations

import random
import sys

import numpy as np
import pytest

from support.conforming import broken
from zoo.conformance import assert_conforms
from zoo.conformance._process import seen
from zoo.data import Dataset, Split


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
