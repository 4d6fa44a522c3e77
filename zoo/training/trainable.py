"""What the trainer asks of a model and of its batches, and no more: two models train with it, each in its own way."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor, nn


class Trainable(nn.Module, ABC):
    """A model whose ``forward(**inputs)`` gives its training loss, a scalar."""

    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """All that tells it from another untrained model, as plain values for JSON; no paths."""

    @abstractmethod
    def stored_state(self) -> dict[str, Tensor]:
        """The tensors that a checkpoint and a file hold."""

    @abstractmethod
    def save(self, path: Path) -> None:
        """Write one file, atomically."""


class BatchSource(Protocol):
    """Batches that are pure functions of (seed, step), so that a resumed run sees what it would have."""

    seed: int

    def at(self, step: int, rank: int = 0, world: int = 1) -> Any:
        """The batch of ``step`` (from 0), or this rank's equal share. Called in a thread, while a step trains."""
