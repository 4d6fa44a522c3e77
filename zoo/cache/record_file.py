"""Many rows of equal size in one file, with JSON about them at its end.

The decoded images and the cached features are both such files. A file appears under its name only when it is
complete (it is written under a temporary one and renamed), so a killed build leaves nothing half valid, and two
processes that build the same file at once both end with a right one.

Rows are read with ``preadv`` into the caller's buffer rather than through a memory map: pages of a map count as the
process's own memory, and after an epoch that is the size of the file. (POSIX only, like the rest of the training.)
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import uuid
import weakref
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from zoo.errors import ZooError
from zoo.files import create, remove_abandoned

_MAGIC = b"ZOOROWS2"
_TAIL = 24  # bytes: length of the JSON, checksums of rows and JSON (CRC-32), magic
_BLOCK = 1 << 23  # bytes that a checksum takes in at once


class RowFile:
    """A finished file, open for reading; safe to share between threads and forked processes.

    Attributes:
        meta: the JSON that was written with the rows.
        row_bytes: size of a row.

    Raises:
        FileNotFoundError: there is no such file.
        ZooError: the file is not one that `write_rows` finished, or not as it did: it is read once, at about a
            gigabyte a second, to compare checksums.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = os.open(path, os.O_RDONLY)
        with suppress(OSError):  # a file system without locks
            fcntl.flock(self._fd, fcntl.LOCK_SH)  # while it is open, `facezoo cache prune` lets it be
        weakref.finalize(self, os.close, self._fd)
        header = self._read_meta()
        self.meta: dict[str, Any] = header["meta"]
        self.row_bytes: int = header["row_bytes"]
        self._rows: int = header["rows"]

    def __len__(self) -> int:
        return self._rows

    @property
    def nbytes(self) -> int:
        return os.fstat(self._fd).st_size

    def read(self, rows: np.ndarray, out: np.ndarray) -> None:
        """Read ``rows`` (n,) into ``out`` (n, …), C-contiguous, whose entries are ``row_bytes`` large."""
        if not out.flags.c_contiguous or out.nbytes != len(rows) * self.row_bytes:
            raise ValueError(f"expected a contiguous buffer of {len(rows)} × {self.row_bytes} bytes")
        buffer = out.reshape(-1).view(np.uint8).data  # not a copy: out is contiguous
        if len(rows) and not 0 <= rows.min() <= rows.max() < self._rows:
            raise IndexError(f"row out of range: {self.path.name} has {self._rows} rows")
        for place in np.argsort(rows, kind="stable"):  # in the order of the disk
            into = buffer[place * self.row_bytes : (place + 1) * self.row_bytes]
            if os.preadv(self._fd, [into], int(rows[place]) * self.row_bytes) != self.row_bytes:
                raise OSError(f"{self.path} became shorter while it was in use")

    def _read_meta(self) -> dict[str, Any]:
        size = os.fstat(self._fd).st_size
        tail = os.pread(self._fd, _TAIL, max(0, size - _TAIL))
        length = int.from_bytes(tail[:8], "little")
        if tail[16:] == _MAGIC and length <= size - _TAIL:
            rows, about = (int.from_bytes(tail[at : at + 4], "little") for at in (8, 12))
            end = size - _TAIL - length
            text = os.pread(self._fd, length, end)
            if zlib.crc32(text) == about and _checksum(self._fd, end) == rows:
                header = json.loads(text)
                if header["rows"] * header["row_bytes"] == end:
                    return header
        raise ZooError(f"{self.path} is damaged; delete it and it will be made again")


class RowWriter:
    """Appends rows to a file that is not there yet; `write_rows` makes and finishes one.

    Attributes:
        meta: what the finished file shall say about the rows; anything JSON can hold.
    """

    def __init__(self, path: Path) -> None:
        self.meta: dict[str, Any] = {}
        self.path = path
        self._file = os.fdopen(create(path), "w+b")
        self._row_bytes = 0
        self._rows = 0

    def append(self, rows: np.ndarray) -> None:
        """Rows (n, …), each as large as those before."""
        self._row_bytes = self._row_bytes or rows[0].nbytes
        if rows[0].nbytes != self._row_bytes:
            raise ValueError(f"a row of {rows[0].nbytes} bytes among rows of {self._row_bytes}")
        self._file.write(np.ascontiguousarray(rows).data)
        self._rows += len(rows)

    def reorder(self, order: Sequence[int]) -> None:
        """Put the rows, all of them, in this order; one more pass over the file."""
        self._file.flush()
        sorted_path = self.path.with_name(self.path.name + ".sorted")
        out = os.fdopen(create(sorted_path), "w+b")
        try:
            with self._file as rows:
                for row in order:
                    out.write(os.pread(rows.fileno(), self._row_bytes, row * self._row_bytes))
            os.replace(sorted_path, self.path)
        except BaseException:
            sorted_path.unlink(missing_ok=True)
            raise
        finally:
            self._file = out  # under the name of the old one

    def finish(self) -> None:
        header = {"rows": self._rows, "row_bytes": self._row_bytes, "meta": self.meta}
        text = json.dumps(header, separators=(",", ":")).encode()
        self._file.flush()
        checksums = _checksum(self._file.fileno(), self._rows * self._row_bytes), zlib.crc32(text)
        numbers = len(text).to_bytes(8, "little") + b"".join(value.to_bytes(4, "little") for value in checksums)
        self._file.write(text + numbers + _MAGIC)
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()


def _checksum(fd: int, size: int) -> int:
    """CRC-32 of the first ``size`` bytes of a file."""
    found = 0
    for start in range(0, size, _BLOCK):
        found = zlib.crc32(os.pread(fd, min(_BLOCK, size - start), start), found)
    return found


@contextmanager
def write_rows(path: Path) -> Iterator[RowWriter]:
    """A writer whose file appears as ``path`` when the block ends, and not at all if it raises.

    Raises:
        ZooError: the folder cannot be written, or the disk is full.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    make_folder(path.parent)
    try:
        _remove_stale(path)
        writer = RowWriter(temporary)
        try:
            yield writer
            writer.finish()
        finally:
            writer.close()
        os.replace(temporary, path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def of_this_format(path: Path) -> bool:
    """Whether a file ends as `write_rows` ends one: not cut off, and of no other version. To ask is not to use it."""
    quietly = getattr(os, "O_NOATIME", 0)  # only its owner may
    try:
        descriptor = os.open(path, os.O_RDONLY | quietly)
    except PermissionError:
        descriptor = os.open(path, os.O_RDONLY)
    try:
        size = os.fstat(descriptor).st_size
        return os.pread(descriptor, len(_MAGIC), max(0, size - len(_MAGIC))) == _MAGIC
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Raises `ZooError` if there can be no such folder, or nothing can be written into it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _unwritable(folder, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))


def _unwritable(path: Path, error: OSError) -> ZooError:
    """What hinders, and how another folder is named: to Python and on the command line, or once for all runs."""
    full = "free space there, or " if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) else ""
    elsewhere = f"{full}give another folder by cache_dir=DIR or the environment variable ZOO_CACHE"
    return ZooError(f"cannot write the cache {path} ({error.strerror or error}); {elsewhere}")


def _remove_stale(path: Path) -> None:
    """What killed builds of this file left."""
    for old in path.parent.glob(f".{path.name}.*"):
        remove_abandoned(old)
