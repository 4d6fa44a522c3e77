"""A colouring that can be watched, and stopped, while it is made."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from zoo.photos.colorizer import Colored, ColorizeOptions, Colorizer
    from zoo.photos.photo import Photo


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


def watch(colorizer: Colorizer, photo: Photo, options: ColorizeOptions) -> Generator[Step | Colored, None, None]:
    """Colour ``photo`` in a thread: the latest `Step` whenever there is a new one, and last the `Colored`.

    Closing the iterator stops the work at its next step, and waits for that, so that no two run at once.
    """
    events: queue.SimpleQueue[Step | Colored | BaseException] = queue.SimpleQueue()
    stop = threading.Event()

    def on_step(done: int, previews: list[np.ndarray] | None) -> None:
        if stop.is_set():
            raise _Stopped
        events.put(Step(done, previews[0] if previews else None))

    def work() -> None:
        try:
            events.put(colorizer.colorize_photos([photo], options, on_step=on_step)[0])
        except BaseException as error:  # whatever it is, it is raised where the result is awaited
            events.put(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield from _until_done(events)
    finally:
        stop.set()
        thread.join()


def _until_done(events: queue.SimpleQueue[Step | Colored | BaseException]) -> Generator[Step | Colored, None, None]:
    while True:
        event = events.get()
        while isinstance(event, Step) and not events.empty():  # a slow reader sees the latest, not all
            event = events.get()
        if isinstance(event, BaseException):
            raise event
        yield event
        if not isinstance(event, Step):
            return
