"""Checks of every dataset; see `zoo.data.Dataset`."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property

import numpy as np

from zoo.conformance._process import SPLITS, seen, seen_elsewhere
from zoo.conformance._tensors import demand_unobtrusive
from zoo.conformance.checks import Broken, Check, Moot, Subject, demand
from zoo.data import BrokenImageError, Dataset, Split
from zoo.errors import ZooError
from zoo.faces.framing import Box

LOADED = 4  # images of each split


class DatasetSubject(Subject):
    """A dataset to look at."""

    @cached_property
    def dataset(self) -> Dataset:
        return self.build()

    @cached_property
    def keys(self) -> dict[Split, list[str]]:
        return keys_of(self.dataset)

    @property
    def some(self) -> list[str]:
        return [key for keys in self.keys.values() for key in keys[:LOADED]]


def has_images_to_train_on(subject: DatasetSubject) -> str:
    demand(isinstance(subject.dataset, Dataset), f"{type(subject.dataset).__qualname__} is no zoo.data.Dataset")
    demand(bool(subject.dataset.keys("train")), "keys('train') is empty")
    return ", ".join(f"{split} {len(keys)}" for split, keys in subject.keys.items())


def names_its_images_sorted_and_once(subject: DatasetSubject) -> None:
    for split, keys in subject.keys.items():
        demand(all(isinstance(key, str) for key in keys), f"{split}: keys must be text")
        demand(keys == sorted(keys), f"{split}: keys are not sorted")
        demand(len(set(keys)) == len(keys), f"{split}: a key comes twice")


def shares_no_image_between_splits(subject: DatasetSubject) -> None:
    for a, b in (("train", "val"), ("train", "test"), ("val", "test")):
        shared = set(subject.keys[a]) & set(subject.keys[b])  # type: ignore[index]
        demand(not shared, f"{min(shared, default='')!r} is in {a} and in {b}")


def splits_the_same_way_every_time(subject: DatasetSubject) -> None:
    again = subject.build()
    demand(keys_of(again) == subject.keys, "built again, it has other keys")
    for split, keys in subject.keys.items():
        if keys:
            demand(again.signature(split) == subject.dataset.signature(split), f"{split}: the signature changes")


def gives_square_color_images_of_8_bits(subject: DatasetSubject) -> str:
    broken = []
    for key in subject.some:
        try:
            image = subject.dataset.load(key)
        except BrokenImageError as reason:
            broken.append(f"{key} cannot be used ({reason})")
            continue
        demand(isinstance(image, np.ndarray), f"{key} is a {type(image).__name__}, not an array")
        square = image.ndim == 3 and image.shape[0] == image.shape[1] and image.shape[2] == 3
        demand(square, f"{key} is {image.shape}, not (S, S, 3)")
        demand(image.dtype == np.uint8, f"{key} is {image.dtype}, not uint8")
    demand(len(broken) < len(subject.some), "; ".join(broken[:1]))
    return f"looked at {len(subject.some)}" + "".join(f"; {reason}" for reason in broken[:1])


def gives_the_same_image_every_time(subject: DatasetSubject) -> None:
    again = subject.build()
    for key in subject.some:
        try:
            same = np.array_equal(subject.dataset.load(key), again.load(key))
        except BrokenImageError:
            continue
        demand(same, f"{key} is another image the second time")


def gives_the_same_in_another_process(subject: DatasetSubject) -> None:
    here, there = seen(subject.dataset, LOADED), seen_elsewhere(subject.cls, subject.options, LOADED)
    other = [what for what in {**here, **there} if here.get(what) != there.get(what)]
    mend = "sort what a set or a folder lists, and draw by hashlib or a seed"
    demand(not other, f"{', '.join(other[:2])} differ there: {mend}; hash() and the order of calls are no sources")


def prints_nothing_and_sets_no_seed(subject: DatasetSubject) -> None:
    def run() -> None:
        dataset = subject.build()
        for keys in keys_of(dataset).values():
            for key in keys[:1]:
                with suppress(BrokenImageError):
                    dataset.load(key)

    demand_unobtrusive(run)


def says_where_the_face_is_or_that_it_is_not_known(subject: DatasetSubject) -> str:
    box = subject.dataset.face_box
    if box is None:
        return "not known: encoders see the whole image"
    if not isinstance(box, Box):
        raise Broken(f"face_box is {box!r}, not a Box")
    demand(box.side > 0, f"face_box has side {box.side}")
    return f"x0 {box.x0:.2f}, y0 {box.y0:.2f}, side {box.side:.2f}"


def tells_groups_as_text(subject: DatasetSubject) -> str:
    groups = [subject.dataset.group(key) for key in subject.some]
    demand(all(group is None or isinstance(group, str) for group in groups), f"group() gives {groups[:1]}")
    if not any(groups):
        raise Moot("it knows no groups")
    return ", ".join(sorted({group for group in groups if group}))


def tells_people_as_text(subject: DatasetSubject) -> str:
    people = [subject.dataset.person(key) for key in subject.some]
    demand(all(one is None or isinstance(one, str) for one in people), f"person() gives {people[:1]}")
    if not any(people):
        raise Moot("it knows nobody")
    return f"{len({one for one in people if one})} on the {len(people)} looked at"


SUBJECT = DatasetSubject
CHECKS: tuple[Check[DatasetSubject], ...] = (
    has_images_to_train_on,
    names_its_images_sorted_and_once,
    shares_no_image_between_splits,
    splits_the_same_way_every_time,
    gives_square_color_images_of_8_bits,
    gives_the_same_image_every_time,
    gives_the_same_in_another_process,
    prints_nothing_and_sets_no_seed,
    says_where_the_face_is_or_that_it_is_not_known,
    tells_groups_as_text,
    tells_people_as_text,
)
COSTS: tuple[Check[DatasetSubject], ...] = ()


def keys_of(dataset: Dataset) -> dict[Split, list[str]]:
    """The keys of each split; none where it is empty."""
    found: dict[Split, list[str]] = {}
    for split in SPLITS:
        try:
            found[split] = dataset.keys(split)
        except ZooError:
            found[split] = []
    return found
