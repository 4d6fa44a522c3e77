"""A colouring that can be watched, and stopped, while it is made."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

T = TypeVar("T")
OnStep = Callable[[int, "list[np.ndarray] | None"], None]
_PAUSE = 0.2  # seconds between looks at whether whoever waits has gone


@dataclass(frozen=True)
class Step:
    """One sampling step is done.

    Attributes:
        done: steps so far of what is sampled last, which is what can be seen; 0 before.
        preview: what the photo looks like now, small, (h, w, 3) uint8; None where there is nothing to see.
    """

    done: int
    preview: np.ndarray | None


class _Stopped(Exception):
    """Nobody waits for the result any more."""


class Turns:
    """One at a time, in the order of asking: whoever has had a turn stands at the end of the line for the next."""

    def __init__(self) -> None:
        self._line: deque[object] = deque()
        self._moved = threading.Condition()

    def __len__(self) -> int:
        """How many have a turn or wait for one."""
        return len(self._line)

    @contextmanager
    def one(self, stop: threading.Event) -> Iterator[None]:
        """Wait for a turn and have it. Raises `_Stopped` once ``stop`` is set."""
        mine = object()
        with self._moved:
            self._line.append(mine)
        try:
            with self._moved:
                while self._line[0] is not mine and not stop.is_set():
                    self._moved.wait(_PAUSE)
            if stop.is_set():
                raise _Stopped
            yield
        finally:
            with self._moved:
                self._line.remove(mine)
                self._moved.notify_all()


def watch(work: Callable[[OnStep], T], turns: Turns) -> Generator[Step | T, None, None]:
    """``work`` in a thread, when its turn has come: the latest `Step` whenever there is a new one, and last its result.

    The turn ends with the work, whether or not anybody asks for what comes. Closing the iterator stops the work at its
    next step, and waits for that.
    """
    events: queue.SimpleQueue[Step | T | BaseException] = queue.SimpleQueue()
    stop = threading.Event()

    def on_step(done: int, previews: list[np.ndarray] | None) -> None:
        if stop.is_set():
            raise _Stopped
        events.put(Step(done, previews[0] if previews else None))

    def run() -> None:
        try:
            with turns.one(stop):
                result = work(on_step)
            events.put(result)
        except BaseException as error:  # whatever it is, it is raised where the result is awaited
            events.put(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield from _until_done(events)
    finally:
        stop.set()
        thread.join()


def _until_done(events: queue.SimpleQueue[Step | T | BaseException]) -> Generator[Step | T, None, None]:
    while True:
        event = events.get()
        while isinstance(event, Step) and not events.empty():  # a slow reader sees the latest, not all
            event = events.get()
        if isinstance(event, BaseException):
            raise event
        yield event
        if not isinstance(event, Step):
            return
