"""Which photos show one picture: copies are found, other faces are not, and every machine finds the same."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from zoo.reading.near_duplicates import NEAR, Fingerprints, fingerprint, groups, near
from zoo.registry import datasets

FACES = datasets.create("synthetic", n_train=30, n_val=1, n_test=1, size=160)
COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "compressed": lambda face: compressed(face, 30),
    "reduced": lambda face: face.resize((80, 80), Image.Resampling.BICUBIC),
    "enlarged": lambda face: face.resize((400, 400), Image.Resampling.BICUBIC),
    "cut": lambda face: face.crop((1, 0, 160, 159)),
    "mirrored": lambda face: face.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "brightened": lambda face: face.point(lambda value: 30 + 0.8 * value),
    "without color": lambda face: face.convert("L").convert("RGB"),
}


def compressed(face: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    face.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def bits_of(*images: Image.Image | np.ndarray) -> np.ndarray:
    prints = [fingerprint(np.asarray(image)) for image in images]
    return Fingerprints.from_hex(tuple(map(str, range(len(prints)))), prints).bits


@pytest.fixture(scope="module")
def faces() -> list[Image.Image]:
    return [Image.fromarray(FACES.load(key)) for key in FACES.keys("train")]


@pytest.mark.parametrize("how", COPIES)
def test_a_copy_is_found_and_no_other_face(faces: list[Image.Image], how: str) -> None:
    copies = [COPIES[how](face) for face in faces]
    assert near(bits_of(*copies), bits_of(*faces)).tolist() == [[i, i] for i in range(len(faces))]


def test_what_shows_nothing_is_like_nothing(faces: list[Image.Image]) -> None:
    blank = np.full((40, 40, 3), 200, np.uint8)
    noisy = blank + np.random.default_rng(0).integers(0, 3, blank.shape, np.uint8)
    assert near(bits_of(blank, noisy), bits_of(blank, noisy, *faces)).tolist() == []


def test_photos_that_are_linked_by_others_are_one_group(faces: list[Image.Image]) -> None:
    one, other = bits_of(faces[0], faces[1])
    steps = [
        one ^ np.array([0, 0, 0, word], np.uint64) for word in (0, 2**24 - 1, 2**48 - 1)
    ]  # 24 bits from each other
    assert len(near(steps[0][None], steps[2][None])) == 0
    assert groups(np.stack([other, steps[0], steps[2], steps[1]])).tolist() == [0, 1, 1, 1]


@given(st.integers(0, 2**32), st.integers(0, 40))
def test_pairs_are_those_that_counting_every_bit_gives(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    one = rng.integers(1, 2**64, (n, 4), np.uint64)
    flips = [NEAR - 1, NEAR, NEAR + 1]
    other = np.array([flipped(row, int(rng.choice(flips)), rng) for row in one], np.uint64).reshape(-1, 4)
    expected = [[i, j] for i in range(n) for j in range(n) if far(one[i], other[j]) <= NEAR]
    assert near(one, other).tolist() == expected


def flipped(row: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    bits = np.unpackbits(row.view(np.uint8))
    bits[rng.choice(256, count, replace=False)] ^= 1
    return np.packbits(bits).view(np.uint64)


def far(one: np.ndarray, other: np.ndarray) -> int:
    """In how many bits they differ, mirrored or not."""
    a, b = (np.unpackbits(row.view(np.uint8)).reshape(16, 16) for row in (one, other))
    turned = b ^ (np.arange(16) % 2 == 1)
    return min(int((a != b).sum()), int((a != turned).sum()))


def test_every_machine_finds_the_same(faces: list[Image.Image]) -> None:
    assert fingerprint(np.asarray(faces[0])) == "787e9d29679d8a48535d8f8db8c94f34b9e2669cb8f3b7466ce3b31a466d22cf"
