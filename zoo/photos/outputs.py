"""Which photos are meant, and which files are made of each: all settled before any work is done."""

from __future__ import annotations

import glob
import os
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from zoo.errors import ZooError
from zoo.files import remove_parts
from zoo.photos.photo import format_of
from zoo.reading.folders import is_image_name, left_out, walk
from zoo.reading.kinds import USUAL, suffixes

Existing = Literal["refuse", "overwrite", "skip"]


@dataclass(frozen=True)
class Wanted:
    """What is made of each photo.

    Attributes:
        samples: how many colourings; of several each has a number in its name, and a grid shows all.
        compare: also a picture of grey, colour and truth side by side.
        animation: also the denoising as a GIF.
        suffix: of colourings in a folder; None: .png. A single output file has its own.
    """

    samples: int = 1
    compare: bool = False
    animation: bool = False
    suffix: str | None = None


@dataclass(frozen=True)
class Job:
    """A photo and the files made of it; None: not wanted."""

    source: Path
    samples: tuple[Path, ...]
    grid: Path | None = None
    comparison: Path | None = None
    animation: Path | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        return (*self.samples, *(path for path in (self.grid, self.comparison, self.animation) if path is not None))


class Plan(NamedTuple):
    jobs: list[Job]
    skipped: int  # photos whose files are all there


class _Photo(NamedTuple):
    path: Path
    name: Path  # where it goes below a folder of results


def plan(values: Sequence[str], output: str, wanted: Wanted, existing: Existing = "refuse") -> Plan:
    """What to make of the photos that ``values`` name.

    One photo goes to the file ``output``, or into it if that is a folder (it exists as one, or ends with a slash). A
    folder, a glob or several photos go to a folder. A folder's photos keep their paths below it.

    Args:
        values: files, folders (walked with all below them) and globs.
        output: a file or a folder.
        wanted: the files to make of each photo.
        existing: what a file that is there already means. ``"skip"`` leaves out photos whose files are all there; of
            the others they are all made again.

    Raises:
        ZooError: a photo, or the place for its results, is missing; two photos would be written to one file; a file
            is there that may not be replaced, be it a photo of ``values`` or not.
    """
    if len(values) == 1 and _is_one_photo(values[0]) and not _is_folder(output):
        jobs = [_job(Path(values[0]), _output_file(output, wanted), wanted)]
    else:
        folder = _output_folder(output)
        photos = _find(values, folder, in_place=existing == "overwrite")
        names = _names(photos, wanted.suffix or ".png")
        jobs = [_job(photo.path, folder / name, wanted) for photo, name in zip(photos, names)]
    for parent in dict.fromkeys(path.parent for job in jobs for path in job.files):
        _check_writable(parent)
        remove_parts(parent)
    _check_apart(jobs)
    _check_sources(jobs, existing)
    left = [job for job in jobs if existing != "skip" or not all(map(os.path.lexists, job.files))]
    if existing == "refuse":
        _check_absent(jobs)
    return Plan(left, skipped=len(jobs) - len(left))


def _job(source: Path, output: Path, wanted: Wanted) -> Job:
    def beside(ending: str) -> Path:
        return output.with_name(f"{output.stem}{ending}")

    width = len(str(wanted.samples))  # 01 of 12, so that they sort
    numbered = tuple(beside(f"-{i:0{width}d}{output.suffix}") for i in range(1, wanted.samples + 1))
    return Job(
        source=source,
        samples=numbered if wanted.samples > 1 else (output,),
        grid=beside("-samples.png") if wanted.samples > 1 else None,
        comparison=beside("-compare.png") if wanted.compare else None,
        animation=beside(".gif") if wanted.animation else None,
    )


def _is_one_photo(value: str) -> bool:
    if os.path.isdir(value):
        return False
    if os.path.lexists(value):
        return True
    if glob.has_magic(value):
        return False
    raise ZooError(f"photo {value} does not exist")


def _is_folder(output: str) -> bool:
    return os.path.isdir(output) or output.endswith(("/", os.sep))


def _output_file(output: str, wanted: Wanted) -> Path:
    path = Path(output)
    if wanted.suffix is not None:
        raise ZooError(f"--format is for a folder of results; --output {output} names a file, whose suffix says it")
    try:
        format_of(path)
    except ZooError as error:
        raise ZooError(f"--output {error}, or a / at the end for a folder") from None
    if not path.parent.is_dir():
        raise ZooError(f"--output {output}: there is no folder {path.parent}")
    return path


def _output_folder(output: str) -> Path:
    path = Path(output)
    if not _is_folder(output) and path.suffix.lower() in suffixes():
        raise ZooError(f"a folder, a glob or several photos need a folder as --output, not the file {output}")
    return path


def _find(values: Sequence[str], output: Path, *, in_place: bool) -> list[_Photo]:
    """All photos that ``values`` name, each once. Those in ``output`` are results, not photos."""
    found: dict[tuple[str, Path], _Photo] = {}
    for value in values:
        for photo in _expand(value, output, in_place):
            found.setdefault((os.path.abspath(photo.path), photo.name), photo)
    return list(found.values())


def _expand(value: str, output: Path, in_place: bool) -> Iterator[_Photo]:
    if _is_one_photo(value):
        yield _Photo(Path(value), Path(Path(value).name))
        return
    is_folder = os.path.isdir(value)
    top = Path(value) if is_folder else _fixed_part(value)
    here, results = Path(os.path.realpath(top)), Path(os.path.realpath(output))
    if is_folder and here == results and not in_place:
        raise ZooError(f"--output {output} is the folder of the photos; give another one, or --overwrite")
    files = list(walk(top) if is_folder else map(Path, glob.glob(value, recursive=True)))
    if here in results.parents:  # what an earlier call made is no photo to colour
        files = [path for path in files if not Path(os.path.realpath(path)).is_relative_to(results)]
    names = sorted(path.relative_to(top) for path in files if is_image_name(path) and not path.is_dir())
    others = [path for path in files if not (is_image_name(path) or path.name.startswith(".") or path.is_dir())]
    if not names:
        told = f"; {left_out(others)}" if others else ""
        raise ZooError(f"no photo found in {value}; expected files like {USUAL}{told}")
    if others:
        warnings.warn(f"{value}: {left_out(others)}", stacklevel=2)
    yield from (_Photo(top / name, name) for name in names)


def _fixed_part(pattern: str) -> Path:
    """The folder above the first part of ``pattern`` that has a wildcard."""
    top = Path(pattern)
    while glob.has_magic(str(top)):
        top = top.parent
    return top


def _names(photos: Sequence[_Photo], suffix: str) -> Iterator[Path]:
    """a.jpg → a.png; but if there is an a.webp too: a-jpg.png, a-webp.png."""
    alike = Counter(str(name.with_suffix("")).casefold() for _, name in photos)
    for _, name in photos:
        stem = name.with_suffix("")
        tag = name.suffix.lower().replace(".", "-") if alike[str(stem).casefold()] > 1 else ""
        yield stem.with_name(f"{stem.name}{tag}{suffix}")


def _check_writable(folder: Path) -> None:
    nearest = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    if not nearest.is_dir():
        raise ZooError(f"cannot write into {folder}: {nearest} is not a folder")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise ZooError(f"cannot write into {folder}: no permission to write in {nearest}")


def _check_apart(jobs: Sequence[Job]) -> None:
    owners: dict[Path, Job] = {}
    for job in jobs:
        for path in job.files:
            other = owners.setdefault(path, job)
            if other is not job:
                raise ZooError(f"{other.source} and {job.source} would both be written to {path}; rename one of them")


def _check_sources(jobs: Sequence[Job], existing: Existing) -> None:
    """A photo may be replaced by its own colouring, if that was asked for, and by no other's."""
    sources = {_identity(job.source): job for job in jobs}
    for job in jobs:
        for path in filter(os.path.exists, job.files):
            owner = sources.get(_identity(path))
            if owner is not None and (owner is not job or existing != "overwrite"):
                hint = "give another --output" + (", or --overwrite" if owner is job else "")
                raise ZooError(f"{path} would overwrite the photo {owner.source}; {hint}")
            if path.is_dir():
                raise ZooError(f"{path} cannot be written: there is a folder of that name")


def _identity(path: Path) -> tuple[int, int] | Path:
    """The same for all links to a file."""
    try:
        stat = path.stat()
    except OSError:  # a link to nothing: told when it is read
        return path
    return stat.st_dev, stat.st_ino


def _check_absent(jobs: Sequence[Job]) -> None:
    there = [path for job in jobs for path in job.files if os.path.lexists(path)]
    if there:
        more = f" (and {len(there) - 1} more)" if len(there) > 1 else ""
        raise ZooError(f"{there[0]} exists already{more}; give --overwrite to replace, or --skip-existing to keep")
