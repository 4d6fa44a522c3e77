"""Where a training tells how it goes, beside what it leaves on disk: TensorBoard and Weights & Biases."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import numpy as np

from zoo.files import write_text

EVENTS = "train"  # TensorBoard's files, in the folder of a training
WANDB = "wandb.txt"  # beside them the id of its run there: a training that is resumed goes on in the same one
_PROJECT = "face-colour-zoo"  # of Weights & Biases, unless $WANDB_PROJECT says another


class Log(Protocol):
    """One of them, open."""

    def scalars(self, values: Mapping[str, float], step: int) -> None: ...

    def picture(self, name: str, pixels: np.ndarray, step: int) -> None:
        """``pixels`` (H, W, 3) uint8."""

    def results(self, settings: Mapping[str, Any], scores: Mapping[str, float], step: int) -> None:
        """What a training was, by plain values, and the scores of what came of it."""

    def close(self) -> None: ...


class TensorBoard:
    """Event files in ``folder``."""

    def __init__(self, folder: Path) -> None:
        from torch.utils.tensorboard.writer import SummaryWriter

        self._writer = SummaryWriter(str(folder / EVENTS))

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def picture(self, name: str, pixels: np.ndarray, step: int) -> None:
        self._writer.add_image(name, pixels, step, dataformats="HWC")
        self._writer.flush()

    def results(self, settings: Mapping[str, Any], scores: Mapping[str, float], step: int) -> None:
        plain = {
            name: value if isinstance(value, bool | int | float) else str(value) for name, value in settings.items()
        }
        values = {f"score/{name}": value for name, value in scores.items()}
        self._writer.add_hparams(plain, values, run_name=".", global_step=step)

    def close(self) -> None:
        self._writer.close()


class WandB:
    """A run there; whether it is sent anywhere is said by ``$WANDB_MODE``."""

    def __init__(self, folder: Path) -> None:
        import wandb

        file = folder / WANDB
        if not file.is_file():
            write_text(file, uuid4().hex)
        project = os.environ.get("WANDB_PROJECT", _PROJECT)
        self._images = wandb.Image
        self._run = wandb.init(project=project, name=folder.name, id=file.read_text().strip(), resume="allow")
        self._run.define_metric("*", step_metric="step")  # its own count cannot go back to the last checkpoint

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        self._run.log({**values, "step": step})

    def picture(self, name: str, pixels: np.ndarray, step: int) -> None:
        self._run.log({name: self._images(pixels), "step": step})

    def results(self, settings: Mapping[str, Any], scores: Mapping[str, float], step: int) -> None:
        self._run.config.update(dict(settings), allow_val_change=True)
        self._run.summary.update({f"score/{name}": value for name, value in scores.items()})

    def close(self) -> None:
        self._run.finish()


@contextmanager
def open_logs(names: Sequence[str], folder: Path) -> Iterator[list[Log]]:
    """Those that ``names`` name, "tensorboard" and "wandb", until the end of the block."""
    kinds: dict[str, Callable[[Path], Log]] = {"tensorboard": TensorBoard, "wandb": WandB}
    logs = [kinds[name](folder) for name in names]
    try:
        yield logs
    finally:
        for log in logs:
            log.close()


def tiled(sample_grid: np.ndarray) -> np.ndarray:
    """(K, columns, H, W, 3) as one picture (K·H, columns·W, 3)."""
    k, columns, height, width, channels = sample_grid.shape
    return sample_grid.transpose(0, 2, 1, 3, 4).reshape(k * height, columns * width, channels)
