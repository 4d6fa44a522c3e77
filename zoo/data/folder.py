"""Your own photos in a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from zoo.data import Split
from zoo.data._files import FileDataset, check_fractions, find_images, split_by_hash
from zoo.data._groups import group_reader
from zoo.errors import ZooError
from zoo.registry import datasets


@datasets.register("folder")
class Folder(FileDataset):
    """Images below a folder.

    With ``train/`` below ``root``, the splits are ``train/``, ``val/`` and ``test/``; where ``val/`` or ``test/`` is
    missing it is taken out of ``train/`` by hash. Without any of the three, all images below ``root`` are split by
    hash. The hash is of the path relative to ``root`` and of nothing else.

    Args:
        root: the folder.
        face_box: where the ArcFace template's square lies, as (x0, y0, side) in fractions of the image;
            ``"auto"``: looked for when first asked for (`zoo.faces.box`); None: not known.
        val_fraction: share of the hashed images that goes to val.
        test_fraction: share that goes to test.
        groups: how the group of people that an image shows one of is known: a ``.csv`` with columns ``file`` and
            ``group``, or a regular expression with one group, searched in the file's name. Some scores are told apart
            by it.

    Raises:
        ZooError: no such folder, impossible fractions, unreadable groups, or ``val/`` or ``test/`` without ``train/``.
    """

    def __init__(
        self,
        root: str | Path,
        face_box: Sequence[float] | str | None = "auto",
        val_fraction: float = 0.05,
        test_fraction: float = 0.05,
        groups: str | None = None,
    ) -> None:
        super().__init__(root, face_box)
        self._group_of = group_reader(groups)
        check_fractions(val_fraction, test_fraction)
        self.val_fraction = val_fraction
        self.test_fraction = test_fraction
        self.given = [name for name in ("train", "val", "test") if (self.root / name).is_dir()]
        if self.given and "train" not in self.given:
            raise ZooError(f"{str(root)!r} has {self.given[0]}/ but no train/; expected train/, or none of them")

    def group(self, key: str) -> str | None:
        return self._group_of(key)

    def find(self) -> dict[str, list[str]]:
        val_fraction = 0.0 if "val" in self.given else self.val_fraction
        test_fraction = 0.0 if "test" in self.given else self.test_fraction
        hashed = find_images(self.root, "train" if self.given else ".")
        splits = split_by_hash(hashed, val_fraction, test_fraction)
        for name in self.given[1:]:
            splits[name] = find_images(self.root, name)
        return splits

    def empty(self, split: Split) -> str:
        hashed = split != "train" and split not in self.given
        return super().empty(split) + (f", or a larger data.{split}_fraction" if hashed else "")
