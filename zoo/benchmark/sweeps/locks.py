"""Locks between processes, also of several machines on one file system. Their owner's death frees them: the kernel
(over NFSv4 the server) lets go, and no file has to be believed or cleaned up."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zoo.errors import ZooError

try:
    import fcntl
except ImportError:  # Windows: nobody guards against two processes in one folder
    fcntl = None  # type: ignore[assignment]

_PATIENCE = 1.0  # seconds: `held` asks for a moment, which must not look like an owner
_PAUSE = 0.05


class HeldError(ZooError):
    """Another process holds a lock.

    Attributes:
        folder: that the lock is of.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(f"another process is at work in {folder}; wait for it to end")
        self.folder = folder


@contextmanager
def claimed(path: Path) -> Iterator[None]:
    """Hold the lock ``path``, a file that is made if missing. Raises `HeldError` if another process does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        given_up = time.monotonic() + _PATIENCE
        while fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > given_up:
                    raise HeldError(path.parent) from None
                time.sleep(_PAUSE)
        yield


def held(path: Path) -> bool:
    """Whether a process, this one included, holds the lock."""
    if fcntl is None or not path.exists():
        return False
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
