"""Labeled Faces in the Wild, funneled: 13,233 photos of 5,749 people (Huang et al. 2007, 2012)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from zoo.data._files import FileDataset, check_fractions, find_images, hash_split
from zoo.errors import ZooError
from zoo.registry import datasets


@datasets.register("lfw")
class LFW(FileDataset):
    """``<person>/<person>_0001.jpg``, 250×250, split by a hash of the person: nobody is in two splits.

    Args:
        root: a folder with ``lfw_home/lfw_funneled/``, ``lfw_funneled/`` or the people themselves; None:
            scikit-learn's data folder (``SCIKIT_LEARN_DATA``).
        download: let scikit-learn fetch what is missing (233 MB).
        face_box: as for ``folder``.
        val_fraction: share of the people that goes to val.
        test_fraction: share that goes to test.

    Raises:
        ZooError: it is not there and not to be downloaded.
    """

    def __init__(
        self,
        root: str | Path | None = None,
        download: bool = True,
        face_box: Sequence[float] | str | None = "auto",
        val_fraction: float = 0.05,
        test_fraction: float = 0.1,
    ) -> None:
        check_fractions(val_fraction, test_fraction)
        self.val_fraction = val_fraction
        self.test_fraction = test_fraction
        super().__init__(_people(root) or _fetch(root, download), face_box)

    def person(self, key: str) -> str | None:
        return key.rpartition("/")[0] or None

    def find(self) -> dict[str, list[str]]:
        splits: dict[str, list[str]] = {"train": [], "val": [], "test": []}
        for key in find_images(self.root)["."]:
            splits[hash_split(self.person(key) or "", self.val_fraction, self.test_fraction)].append(key)
        return splits


def _people(root: str | Path | None) -> Path | None:
    """The folder of the people, if it is there."""
    if root is None:
        from sklearn.datasets import get_data_home

        root = get_data_home()
    root = Path(root).expanduser()
    for folder in (root / "lfw_home" / "lfw_funneled", root / "lfw_funneled", root):
        if next(folder.glob("*/*_0001.jpg"), None):
            return folder
    return None


def _fetch(root: str | Path | None, download: bool) -> Path:
    from sklearn.datasets import fetch_lfw_people

    home = None if root is None else str(Path(root).expanduser())
    reason = "download=false"
    if download:
        try:  # it fetches and unpacks everything, then reads the people with 500 pictures: one
            fetch_lfw_people(data_home=home, min_faces_per_person=500, resize=0.1)
        except Exception as error:  # network, archive and checksum errors are of many kinds
            reason = f"{type(error).__name__}: {error}"
    people = _people(root)
    if people is None:
        raise ZooError(
            f"LFW is not in {home or 'the data folder of scikit-learn'} and could not be downloaded ({reason}); give a "
            "folder with lfw_funneled/<person>/<photo>.jpg as root=DIR"
        )
    return people
