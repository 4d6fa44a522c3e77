"""A mixture of data sets: names, splits, weights, what cannot be mixed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from zoo.errors import ZooError
from zoo.registry import datasets

FACES: dict[str, Any] = {"name": "synthetic", "n_train": 3, "n_val": 1, "n_test": 1, "size": 32, "weight": 2}
OTHERS: dict[str, Any] = {"name": "synthetic", "n_train": 2, "n_val": 1, "n_test": 1, "size": 32, "seed": 5}


def test_names_begin_with_the_part_and_lead_to_its_images() -> None:
    mix, alone = datasets.create("mix", parts={"b": FACES, "a": OTHERS}), datasets.create("synthetic", **_own(FACES))
    assert [key.partition("/")[0] for key in mix.keys("train")] == ["a", "a", "b", "b", "b"]
    key = alone.keys("test")[0]
    assert np.array_equal(mix.load(f"b/{key}"), alone.load(key))
    assert mix.weights == {"a": 1.0, "b": 2.0}


def test_its_signature_changes_with_that_of_any_part() -> None:
    signature = datasets.create("mix", parts={"a": FACES, "b": OTHERS}).signature("train")
    assert signature == datasets.create("mix", parts={"b": OTHERS, "a": FACES}).signature("train")
    assert signature != datasets.create("mix", parts={"a": FACES, "b": OTHERS | {"seed": 6}}).signature("train")


def test_its_face_box_is_that_of_the_part_that_is_named() -> None:
    parts = {"a": FACES, "b": OTHERS}
    assert datasets.create("mix", parts=parts).face_box is None
    named = datasets.create("mix", parts=parts, face_box="a").face_box
    assert named is not None
    assert named == datasets.create("synthetic", **_own(FACES)).face_box


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"parts": {}}, "parts is empty"),
        ({"parts": {"a/b": FACES}}, "'a/b' cannot be the name of a part"),
        ({"parts": {"a": "synthetic"}}, "parts.a must be a dataset's options"),
        ({"parts": {"a": {"name": "mix", "parts": {}}}}, "a mixture of mixtures"),
        ({"parts": {"a": FACES | {"weight": 0}}}, r"parts.a.weight must be a number above 0, not 0"),
        ({"parts": {"a": FACES | {"wieght": 1}}}, "wieght"),
        ({"parts": {"a": FACES}, "face_box": "b"}, "face_box='b' is none of the parts a"),
        ({"parts": {"a": {"root": "/nowhere"}}}, "/nowhere"),
    ],
)
def test_what_cannot_be_mixed_is_told_in_one_line(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ZooError, match=says) as told:
        datasets.create("mix", **options)
    assert "\n" not in str(told.value)


def _own(options: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in options.items() if key not in ("name", "weight")}
