"""Where uploads and results lie while the page is served: one folder, of bounded size, gone afterwards."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from zoo.errors import ZooError

_PREFIX = "zoo-app-"
_LOCK = "in-use.lock"
_KEPT = 6 * 3600  # seconds, after which uploads and results are deleted
_BLOCK = 4096  # bytes that a file takes at least, so that empty ones cannot be had without end


class Store:
    """A folder whose files are sent to whoever knows their names, and nothing else is.

    Args:
        folder: is made.
        max_bytes: of everything in it.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder.resolve()
        self._max_bytes = max_bytes
        self._lasting: frozenset[Path] = frozenset()

    def new_folder(self) -> Path:
        """One whose name cannot be guessed."""
        folder = self.folder / secrets.token_hex(16)
        folder.mkdir()
        return folder

    def holds(self, path: str) -> bool:
        """Whether it is the absolute path of a file in here, and leads to no other place by a link."""
        try:
            found = Path(path).resolve(strict=True)
            return os.path.isabs(path) and found.is_relative_to(self.folder) and found.is_file()
        except (OSError, ValueError, RuntimeError):  # too long, a NUL, links without end
            return False

    def free(self) -> int:
        """Bytes that may still be added."""
        taken = sum(max(_BLOCK, _size(path)) for path in self._files() if path not in self._lasting)
        return self._max_bytes - taken

    def need(self, size: int) -> None:
        """Raises `ZooError` unless ``size`` bytes may be added."""
        self.sweep()
        if size > self.free():
            raise ZooError("the server has no room for more pictures at the moment; try again later, or fewer at once")

    def keep_these(self) -> None:
        """What is here now belongs to the page: it is not counted, and stays."""
        self._lasting = frozenset(self._files())

    def sweep(self, older_than: float = _KEPT) -> None:
        """Delete what has not been written to for so many seconds."""
        until = time.time() - older_than
        for path in self._files():
            try:
                if path not in self._lasting and path.lstat().st_mtime < until:
                    path.unlink()
                    path.parent.rmdir()  # if it was the last one in it
            except OSError:  # another one was quicker, or there are more files
                continue

    @contextmanager
    def swept(self, every: float = 600) -> Iterator[None]:
        """`sweep` now and then while the block runs."""
        ended = threading.Event()

        def work() -> None:
            while not ended.wait(every):
                self.sweep()

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _files(self) -> list[Path]:
        return [Path(folder, name) for folder, _, names in os.walk(self.folder) for name in names]


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:  # it has just been deleted
        return 0


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder for this process, deleted when the block ends; those that killed processes have left are deleted now.

    Raises:
        ZooError: no such folder can be made.
    """
    _remove_abandoned(Path(tempfile.gettempdir()))
    folder, lock = _claimed_folder()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()


def _claimed_folder() -> tuple[Path, FileLock]:
    while True:
        try:
            folder = Path(tempfile.mkdtemp(prefix=_PREFIX)).resolve()
            lock = FileLock(folder / _LOCK)
            lock.acquire(timeout=0)
        except Timeout:  # another one that starts took it for abandoned, in the moment between
            continue
        except OSError as error:
            raise ZooError(f"cannot make a folder for uploads in {tempfile.gettempdir()}: {error.strerror}") from error
        return folder, lock


def _remove_abandoned(parent: Path) -> None:
    """The folders of servers that are no more: nobody holds their lock."""
    for folder in parent.glob(f"{_PREFIX}*"):
        try:
            if folder.is_symlink() or not (folder / _LOCK).is_file() or folder.stat().st_uid != os.getuid():
                continue
            with FileLock(folder / _LOCK, timeout=0):
                shutil.rmtree(folder, ignore_errors=True)
        except (OSError, Timeout):  # in use, or not ours
            continue
