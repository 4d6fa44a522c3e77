"""Files that are either there and whole, or not there."""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import ENOTDIR
from pathlib import Path

_PART = re.compile(r"\..*\.[0-9a-f]{12}\.part")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; when the block ends well, flush it and rename it onto ``path``, with the
    permissions that a new file has or, where it replaces one, with those of that one.

    Raises:
        OSError: of ``path``, and never of the temporary one or of a folder on the way, which nobody has named.
    """
    path = Path(path)
    temporary = _part(path)
    with _named(path, path.parent, temporary):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except FileExistsError:
            raise NotADirectoryError(ENOTDIR, os.strerror(ENOTDIR), str(path)) from None
        held = create(temporary)
        try:
            mode = (path if path.exists() else temporary).stat().st_mode
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.chmod(mode)  # whatever wrote it may have put a file of its own there
            os.replace(temporary, path)
        finally:
            os.close(held)
            temporary.unlink(missing_ok=True)


def link(source: Path, target: Path) -> None:
    """Make ``target`` a second name of the file ``source``, or a copy where the file system has no links. Whoever
    replaces one of them, as `replacing` does, leaves the other as it is."""
    temporary = _part(target)
    try:
        os.link(source, temporary)
        os.replace(temporary, target)
    except OSError:
        with replacing(target) as copy:
            shutil.copyfile(source, copy)
    finally:
        temporary.unlink(missing_ok=True)  # it is still there if both were one file already


def _part(path: Path) -> Path:
    return path.with_name(f".{path.name[:40]}.{secrets.token_hex(6)}.part")


@contextmanager
def _named(path: Path, *others: Path) -> Iterator[None]:
    """An `OSError` of one of ``others``, or of a folder above it, is one of ``path``."""
    try:
        yield
    except OSError as error:
        named = None if error.filename is None else Path(os.fsdecode(error.filename))
        if named is not None and any(named == other or named in other.parents for other in others):
            error.filename, error.filename2 = str(path), None
        raise


def remove_parts(folder: Path) -> None:
    """Remove what `replacing` left in ``folder`` when its process was killed; what others are writing stays."""
    for part in Path(folder).glob(".*.part"):
        if _PART.fullmatch(part.name):
            remove_abandoned(part)


def create(path: Path) -> int:
    """Make a file, and open it: while its descriptor is open it is not abandoned."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)  # less the umask, unlike `tempfile`'s
        with suppress(OSError):  # a file system without locks, where nothing is ever taken for abandoned
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        if path.exists():
            return descriptor
        os.close(descriptor)  # it was taken for abandoned in the moment between


def in_use(path: Path) -> bool:
    """Whether a file that is locked while it is open, as `create` does, is open in any process."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return False
    finally:
        os.close(descriptor)
    return False


def remove_abandoned(path: Path) -> None:
    """Remove a file that `create` made, unless it is open in any process."""
    with suppress(OSError):  # it is in use, or was just removed, or is not ours to remove
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
        finally:
            os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8, all of it or nothing."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value: object) -> None:
    """Write plain values as JSON, all of it or nothing."""
    write_text(path, json.dumps(value, indent=1) + "\n")
