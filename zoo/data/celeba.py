"""CelebA, aligned and cropped: 202,599 photos of celebrities (Liu et al. 2015). For non-commercial research only."""

from __future__ import annotations

from collections.abc import Container, Iterator
from pathlib import Path

from zoo.data._files import FileDataset
from zoo.errors import ZooError
from zoo.faces.box import fit_template
from zoo.faces.framing import Box
from zoo.registry import datasets

# Mean of list_landmarks_align_celeba.txt (left eye, right eye, nose, left and right corner of the mouth), in pixels
# of the 178×218 images, in which the eyes were aligned. The centre square begins 20 rows down.
_LANDMARKS = ((69, 111), (108, 111), (88, 136), (72, 152), (105, 152))
_WIDTH, _TOP = 178, 20
FACE_BOX: Box = fit_template([(x / _WIDTH, (y - _TOP) / _WIDTH) for x, y in _LANDMARKS])

_SPLITS = {"0": "train", "1": "val", "2": "test"}


@datasets.register("celeba")
class CelebA(FileDataset):
    """The official layout, ``img_align_celeba/`` and ``list_eval_partition.txt``, and the official splits. Who is on a
    photo is known where ``identity_CelebA.txt`` is there too.

    Args:
        root: the folder that holds both, or the one above it if that is called ``celeba`` (torchvision's layout).
        download: fetch what is missing with torchvision into ``root/celeba`` (1.4 GB, Google Drive; needs ``gdown``).

    Raises:
        ZooError: something is missing, or the download failed.
    """

    def __init__(self, root: str | Path, download: bool = False) -> None:
        root = Path(root).expanduser()
        home = _home(root)
        if home is None and download:
            _download(root)
            home = _home(root)
        if home is None:
            raise ZooError(
                f"root={str(root)!r} holds no CelebA; expected img_align_celeba/ and list_eval_partition.txt in "
                "it, or download=true to fetch them"
            )
        super().__init__(home, FACE_BOX)
        people = home / "identity_CelebA.txt"
        self._people = dict(_pairs(people, "a file name and a number")) if people.is_file() else {}

    def person(self, key: str) -> str | None:
        return self._people.get(key)

    def find(self) -> dict[str, list[str]]:
        splits: dict[str, list[str]] = {"train": [], "val": [], "test": []}
        table = self.root / "list_eval_partition.txt"
        for key, split in _pairs(table, "a file name and 0, 1 or 2", known=_SPLITS):
            splits[_SPLITS[split]].append(key)
        return splits


def _pairs(table: Path, expected: str, *, known: Container[str] | None = None) -> Iterator[tuple[str, str]]:
    """Key and value of each line of an official list."""
    for number, line in enumerate(table.read_text().splitlines(), start=1):
        fields = line.split()
        if len(fields) != 2 or (known is not None and fields[1] not in known):
            raise ZooError(f"{table}, line {number}: {line!r}; expected {expected}")
        yield f"img_align_celeba/{fields[0]}", fields[1]


def _home(root: Path) -> Path | None:
    for folder in (root, root / "celeba"):
        if (folder / "img_align_celeba").is_dir() and (folder / "list_eval_partition.txt").is_file():
            return folder
    return None


def _download(root: Path) -> None:
    try:
        from torchvision.datasets import CelebA as Torchvision

        root.mkdir(parents=True, exist_ok=True)
        Torchvision(str(root), download=True)
    except Exception as error:  # gdown, urllib and zipfile each have their own
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ZooError(
            f"CelebA could not be downloaded ({reason}); fetch img_align_celeba.zip and list_eval_partition.txt "
            "from mmlab.ie.cuhk.edu.hk/projects/CelebA.html and give their folder with root=DIR"
        ) from error
