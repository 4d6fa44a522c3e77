"""Locks between processes, also of several machines on one file system. Their owner's death frees them: the kernel
(over NFSv4 the server) lets go, and no file has to be believed or cleaned up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from zoo.errors import ZooError

_PATIENCE = 1.0  # seconds: `held` takes a lock for a moment, which must not look like an owner
_GLANCE = 0.1  # seconds: two that look at once must not take each other for one


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
    lock = _lock(path)
    try:
        lock.acquire(timeout=_PATIENCE)
    except TimeoutError:
        raise HeldError(path.parent) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def waited_for(path: Path, on_wait: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Hold the lock ``path`` once whoever holds it lets go; ``on_wait`` is called if somebody does."""
    lock = _lock(path)
    try:
        lock.acquire(timeout=_GLANCE)
    except TimeoutError:
        on_wait()
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def held(path: Path) -> bool:
    """Whether somebody, this process included, holds the lock."""
    if not path.exists():
        return False
    try:
        with _lock(path).acquire(timeout=_GLANCE):
            return False
    except TimeoutError:
        return True


def _lock(path: Path) -> FileLock:
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(path)
