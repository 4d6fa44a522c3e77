"""What looks at validation photos found, and what that decides: the weights that are kept, and an early end."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import Tensor

from zoo.training.config import TrainConfig


@dataclass(frozen=True)
class Validated:
    """What one look found.

    Attributes:
        loss: at times that fill (0, 1] evenly, however training draws them, so that it can be compared.
        scores: of a quick colouring of the same photos, by name.
        sample_grid: (K, 3, H, W, 3) uint8: grey, a colouring and the truth of K photos; None: not shown.
    """

    loss: float
    scores: Mapping[str, float] = field(default_factory=dict)
    sample_grid: np.ndarray | None = None


OnValidate = Callable[[int], Validated]  # told the number of steps done


class Watch:
    """Goes by the loss of looks that come at fixed steps, so a training that was stopped and resumed ends as one that
    was not.

    Attributes:
        loss: the lowest; infinite before the first look.
        step: whose it was; None: nobody's.
        waited: looks since.
        average: the averaged weights of that step, where the best are kept.
    """

    def __init__(self, config: TrainConfig) -> None:
        self._patience, self._keeps = config.patience, config.keep == "best"
        self.loss, self.waited = math.inf, 0
        self.step: int | None = None
        self.average: dict[str, Tensor] = {}

    def heed(self, step: int, loss: float, average: Mapping[str, Tensor]) -> None:
        """Take in what a look after ``step`` steps found."""
        if not loss < self.loss:
            self.waited += 1
            return
        self.loss, self.step, self.waited = loss, step, 0
        if self._keeps:
            self.average = {name: weight.detach().clone() for name, weight in average.items()}

    @property
    def ended(self) -> bool:
        """Whether patience is at its end."""
        return self._patience is not None and self.waited >= self._patience

    def state(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {"loss": self.loss, "step": self.step, "waited": self.waited, "average": self.average}

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.loss, self.step, self.waited = state["loss"], state["step"], state["waited"]
        self.average = dict(state["average"])
