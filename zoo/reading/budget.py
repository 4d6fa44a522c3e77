"""A limit on the pixels that are decoded at once, over all threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class PixelBudget:
    """Makes threads wait while images of ``limit`` pixels in all are in their hands.

    An image larger than that waits until it is alone. Threads never wait while they hold something, so that they
    cannot wait for each other.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._used = 0
        self._freed = threading.Condition()
        self._mine = threading.local()

    @contextmanager
    def hold(self, pixels: int) -> Iterator[None]:
        """Wait for ``pixels``; they are free again when the block, or the `scope` around it, ends."""
        if getattr(self._mine, "held", 0):
            yield
            return
        pixels = min(pixels, self.limit)
        with self._freed:
            self._freed.wait_for(lambda: self._used + pixels <= self.limit)
            self._used += pixels
        self._mine.held = pixels
        try:
            yield
        finally:
            if not getattr(self._mine, "scoped", False):
                self._release()

    @contextmanager
    def scope(self) -> Iterator[None]:
        """What this thread comes to hold in the block is held until its end: for images that outlive their decoding."""
        self._mine.scoped = True
        try:
            yield
        finally:
            self._mine.scoped = False
            self._release()

    def _release(self) -> None:
        with self._freed:
            self._used -= getattr(self._mine, "held", 0)
            self._freed.notify_all()
        self._mine.held = 0


BUDGET = PixelBudget(90_000_000)
