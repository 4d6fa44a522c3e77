"""Your own photos in a folder."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

from zoo.data import Split
from zoo.data._files import FileDataset, check_fractions, find_images, split_by_hash
from zoo.data._labels import Labels
from zoo.errors import ZooError
from zoo.registry import datasets

_FOLDERS: dict[Split, tuple[str, ...]] = {"train": ("train",), "val": ("val", "valid", "validation"), "test": ("test",)}


@datasets.register("folder")
class Folder(FileDataset):
    """Images below a folder.

    With ``train/`` below ``root``, the splits are ``train/``, ``val/`` (or ``valid/``) and ``test/``; where ``val/`` or
    ``test/`` is missing it is taken out of ``train/`` by hash. Without any of the three, all images below ``root`` are
    split by hash. The hash is of the path relative to ``root`` and of nothing else; photos that show one picture
    (`zoo.reading.near_duplicates`) fall where the first of them by name does. A photo that links put into several
    splits is in test or val, never in train.

    Args:
        root: the folder.
        face_box: where the ArcFace template's square lies, as (x0, y0, side) in fractions of the image;
            ``"auto"``: looked for when first asked for (`zoo.faces.box`); None: not known.
        val_fraction: share of the hashed images that goes to val.
        test_fraction: share that goes to test.
        groups: how the group of people that an image shows one of is known: a ``.csv`` with columns ``file`` and
            ``group``, or a regular expression with one group, searched in the file's name. Some scores are told apart
            by it.
        people: how it is known who is on an image: a ``.csv`` with columns ``file`` and ``person``, or a regular
            expression with one group, searched in the path below ``root``. Photos of one person are no independent
            witnesses: intervals count people then, not photos.

    Raises:
        ZooError: no such folder, impossible fractions, unreadable groups or people, such that no photo has, a
            folder that cannot be read, or ``val/`` or ``test/`` without ``train/``.
    """

    def __init__(
        self,
        root: str | Path,
        face_box: Sequence[float] | str | None = "auto",
        val_fraction: float = 0.05,
        test_fraction: float = 0.05,
        groups: str | None = None,
        people: str | None = None,
    ) -> None:
        super().__init__(root, face_box)
        self._groups = Labels(groups, "group", "groups")
        self._people = Labels(people, "person", "people", path=True)
        check_fractions(val_fraction, test_fraction)
        self.val_fraction = val_fraction
        self.test_fraction = test_fraction
        self.given = _given(self.root)

    def group(self, key: str) -> str | None:
        return self._groups.of(key)

    def person(self, key: str) -> str | None:
        return self._people.of(key)

    def find(self) -> dict[str, list[str]]:
        folders = [self.given[split] for split in ("test", "val", "train") if split in self.given]
        found = find_images(self.root, *folders)
        hashed = found[self.given["train"] if self.given else "."]
        val = 0.0 if "val" in self.given else self.val_fraction
        test = 0.0 if "test" in self.given else self.test_fraction
        splits = split_by_hash(hashed, val, test, self.first_of_picture(hashed) if 0 < val + test < 1 else None)
        splits |= {split: found[folder] for split, folder in self.given.items() if split != "train"}
        for labels in (self._groups, self._people):
            labels.check([name for names in splits.values() for name in names])
        return splits

    def empty(self, split: Split) -> str:
        hashed = split != "train" and split not in self.given
        return super().empty(split) + (
            f", or a share larger than {split}_fraction={self.val_fraction if split == 'val' else self.test_fraction}"
            if hashed
            else ""
        )


def _given(root: Path) -> dict[Split, str]:
    """The folders that are splits. Raises `ZooError` where they do not make sense."""
    given: dict[Split, str] = {}
    for split, names in _FOLDERS.items():
        there = [name for name in names if (root / name).is_dir()]
        if len(there) > 1:
            raise ZooError(f"{str(root)!r} has {'/ and '.join(there)}/; expected one of them, for {split}")
        if there:
            given[split] = there[0]
    if given and "train" not in given:
        first = next(iter(given.values()))
        raise ZooError(f"{str(root)!r} has {first}/ but no train/; expected train/, or none of them")
    for split, name in given.items():
        if name != split:
            warnings.warn(f"{str(root)!r}: {name}/ is taken as {split}", stacklevel=3)
    return given
