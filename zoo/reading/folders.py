"""Searching folders for image files: each real folder and each file once, however many links lead to it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from zoo.errors import ZooError
from zoo.reading.kinds import suffixes, unread

_NAMED = 5  # suffixes that a message names


def is_image_name(path: Path) -> bool:
    """Whether a file of that name is looked at: its suffix is an image's, and it is not hidden."""
    return path.suffix.lower() in suffixes() and not path.name.startswith(".")


def walk(*tops: Path) -> Iterator[Path]:
    """All files below ``tops`` but hidden ones, those behind links after all others.

    A file that is reached twice comes once, by the name that leads through no link if there is one; of ``tops`` the
    earlier ones have the first choice. The order within a folder is that of the names.

    Raises:
        ZooError: a folder that cannot be read; leaving it out would change what is trained on without a word.
    """
    seen: set[object] = set()

    def first(path: Path) -> bool:
        identity = _identity(path)
        new = identity not in seen
        seen.add(identity)
        return new

    folders = [top for top in tops if first(top)][::-1]
    links: list[Path] = []
    while folders or links:
        if not folders:
            links.sort(reverse=True)
            path = links.pop()
            if not first(path):
                continue
            if not path.is_dir():
                yield path
                continue
            folders.append(path)
        below = _entries(folders.pop())
        links += [Path(entry) for entry in below if entry.is_symlink()]
        own = [entry for entry in below if not entry.is_symlink()]
        yield from (Path(entry) for entry in own if not entry.is_dir() and first(Path(entry)))
        folders += [Path(entry) for entry in reversed(own) if entry.is_dir() and first(Path(entry))]


def left_out(paths: Iterable[Path]) -> str:
    """What files that are not looked at are, for a message: ``3 files left out (2 .txt, 1 .psd)``; "" for none."""
    kinds = Counter(path.suffix.lower() or "without a suffix" for path in paths)
    if not kinds:
        return ""
    named = [f"{count} {kind}" for kind, count in kinds.most_common(_NAMED)]
    more = ["others"] if len(kinds) > _NAMED else []
    total = kinds.total()
    reasons = {reason for kind in kinds if (reason := unread(kind))}
    return "; ".join([f"{total} file{'s' * (total > 1)} left out ({', '.join(named + more)})", *sorted(reasons)])


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """What is in a folder and not hidden, sorted."""
    try:
        with os.scandir(folder) as entries:
            return sorted((entry for entry in entries if not entry.name.startswith(".")), key=lambda entry: entry.name)
    except OSError as error:
        raise ZooError(f"folder {folder} cannot be read ({error.strerror}); mend it, or move it elsewhere") from error


def _identity(path: Path) -> object:
    """The same for all names of a file or folder."""
    try:
        stat = path.stat()
    except OSError:  # a link to nothing, or to itself
        return path
    return (stat.st_dev, stat.st_ino) if stat.st_ino else path
