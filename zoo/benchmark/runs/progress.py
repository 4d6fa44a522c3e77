"""Progress bars for what takes long, and warnings beside them."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tqdm import tqdm

from zoo.errors import below
from zoo.files import write_json
from zoo.progress import StepInfo

_SMOOTHING = 0.95  # of the loss that is shown
_SECONDS_BETWEEN_NOTES = 3.0


def seconds_between_updates() -> float:
    """A log file gets a line now and then, not ten a second."""
    return 0.1 if sys.stderr.isatty() else 30.0


def bar(items: Iterable, total: int, what: str) -> Iterator:
    """``items``, with a bar once the first is asked for; a `zoo.cache.images.Progress`."""
    yield from tqdm(items, desc=what, total=total, mininterval=seconds_between_updates())


def one_line_warning(message: Warning | str, *_: Any, options: tuple[str, ...] = (), **__: Any) -> None:
    """For `warnings.showwarning`: above the bars. ``options``: of the dataset, which names them without a section."""
    tqdm.write(f"warning: {below('data', options, ' '.join(str(message).split()))}")


class TrainingBar:
    """Shows step, loss, images/s and time left; an `OnStep` of the trainer. Nothing is shown before the first step.

    Args:
        what: is done.
        file: where the share of it that is behind us is written now and then, for `benchmarks/status.py`.
    """

    def __init__(self, what: str, file: Path | None = None) -> None:
        self._what, self._file = what, file
        self._written = -math.inf
        self._bar: tqdm | None = None
        self._loss = 0.0

    def __call__(self, info: StepInfo) -> None:
        if self._bar is None:  # the first step after a resume does not start at 0
            self._loss = info.loss
            self._bar = tqdm(
                total=1.0,
                initial=info.share,
                desc=self._what,
                mininterval=seconds_between_updates(),
                bar_format="{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}",
            )
        self._loss = _SMOOTHING * self._loss + (1 - _SMOOTHING) * info.loss
        text = f"step {info.step}, loss {self._loss:.4f}, {info.images_per_second:.0f} images/s"
        self._bar.set_postfix_str(text, refresh=False)
        self._bar.update(min(info.share, 1.0) - self._bar.n)
        if self._file and (info.share >= 1 or time.monotonic() - self._written > _SECONDS_BETWEEN_NOTES):
            self._note(self._file, info)
        if info.share >= 1:
            self._close()

    def _note(self, file: Path, info: StepInfo) -> None:
        write_json(file, {"step": info.step, "share": round(info.share, 4)})
        self._written = time.monotonic()

    def __enter__(self) -> TrainingBar:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
