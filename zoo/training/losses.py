"""Losses, and lengths of gradients, that nobody has looked at yet. Looking makes the processor wait until the device
has caught up."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import NamedTuple

import torch
from accelerate import Accelerator
from torch import Tensor

from zoo.errors import ZooError

LOOK_EVERY = 20  # steps, on a device that works while we go on


class Seen(NamedTuple):
    """What a look at them found: means over steps and processes, and the steps per second since the last look."""

    loss: float
    grad_norm: float
    per_second: float


class Losses:
    """Those since the last look, as they lie on the device.

    Attributes:
        look_every: steps after which to look: each one on the CPU, where it costs nothing.
    """

    def __init__(self, accelerator: Accelerator) -> None:
        self.accelerator = accelerator
        self.look_every = 1 if accelerator.device.type == "cpu" else LOOK_EVERY
        self._losses: list[Tensor] = []  # (2,) each: a loss, and the length of its gradient
        self._since = time.perf_counter()

    @property
    def waiting(self) -> int:
        """How many steps nobody has looked at."""
        return len(self._losses)

    def add(self, loss: Tensor, grad_norm: Tensor) -> None:
        """Scalars, left on the device."""
        self._losses.append(torch.stack([loss.float(), grad_norm.float()]))

    def look(self, step: int, checkpoint: Path) -> Seen:
        """Their means since the last look.

        Args:
            step: how many there were in all.
            checkpoint: where the last good one is, for the message.

        Raises:
            ZooError: the loss is not finite.
        """
        n, self._losses, losses = len(self._losses), [], torch.stack(self._losses)
        value, norm = self.mean(losses.mean(dim=0)).tolist()
        if not math.isfinite(value):
            where = f"at step {step - 1}" if n == 1 else f"somewhere in steps {step - n} to {step - 1}"
            raise ZooError(
                f"the loss is {value} {where}; try a lower lr or mixed_precision=no "
                f"(the last good checkpoint is kept in {checkpoint.parent})"
            )
        now = time.perf_counter()
        self._since, seconds = now, now - self._since
        return Seen(value, norm, n / seconds)

    def mean(self, value: Tensor) -> Tensor:
        """Over all processes."""
        if self.accelerator.num_processes > 1:
            value = self.accelerator.reduce(value.to(self.accelerator.device), "mean")
        return value

    def sum(self, value: float) -> float:
        """Over all processes, of which one has a value and the others 0."""
        if self.accelerator.num_processes == 1:
            return value
        total = torch.tensor(value, dtype=torch.float64, device=self.accelerator.device)
        return float(self.accelerator.reduce(total, "sum"))
