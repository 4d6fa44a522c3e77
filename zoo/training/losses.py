"""Losses that nobody has looked at yet. Looking makes the processor wait until the device has caught up."""

from __future__ import annotations

import math
import time
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor

from zoo.errors import ZooError

LOOK_EVERY = 20  # steps, on a device that works while we go on


class Losses:
    """Those since the last look, as they lie on the device.

    Attributes:
        look_every: steps after which to look: each one on the CPU, where it costs nothing.
    """

    def __init__(self, accelerator: Accelerator) -> None:
        self.accelerator = accelerator
        self.look_every = 1 if accelerator.device.type == "cpu" else LOOK_EVERY
        self._losses: list[Tensor] = []
        self._since = time.perf_counter()

    @property
    def waiting(self) -> int:
        """How many steps nobody has looked at."""
        return len(self._losses)

    def add(self, loss: Tensor) -> None:
        """A scalar, left on the device."""
        self._losses.append(loss)

    def look(self, step: int, checkpoint: Path) -> tuple[float, float]:
        """Their mean over steps and processes, and the steps per second since the last look.

        Args:
            step: how many there were in all.
            checkpoint: where the last good one is, for the message.

        Raises:
            ZooError: it is not finite.
        """
        n, self._losses, losses = len(self._losses), [], torch.stack(self._losses)
        value = self.mean(losses.mean())
        if not math.isfinite(value):
            where = f"at step {step - 1}" if n == 1 else f"somewhere in steps {step - n} to {step - 1}"
            raise ZooError(
                f"the loss is {value} {where}; try a lower lr or mixed_precision=no "
                f"(the last good checkpoint is kept in {checkpoint.parent})"
            )
        now = time.perf_counter()
        self._since, seconds = now, now - self._since
        return value, n / seconds

    def mean(self, value: Tensor) -> float:
        """Over all processes."""
        if self.accelerator.num_processes > 1:
            value = self.accelerator.reduce(value.to(self.accelerator.device), "mean")
        return float(value)
