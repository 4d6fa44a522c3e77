"""An exponential moving average of everything that trains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class EMA:
    """Averages all parameters of ``model`` that require gradients: denoiser, conditioner and a trainable encoder.

    The decay is warmed up as (1 + n) / (10 + n), so that the start is soon forgotten.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self._live = {name: p for name, p in model.named_parameters() if p.requires_grad}
        self.average = {name: p.detach().clone() for name, p in self._live.items()}

    @torch.no_grad()
    def update(self) -> None:
        """Call after each optimiser step."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        torch._foreach_lerp_(list(self.average.values()), list(self._live.values()), 1 - decay)

    @torch.no_grad()
    def copy_to_model(self, average: Mapping[str, Tensor] | None = None) -> None:
        """Put the averages, or those of an earlier step, in the place of the model's own weights."""
        for name, p in self._live.items():
            p.copy_((average or self.average)[name])

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Within, the model has the averages; after it, to the bit, its own weights again."""
        own = {name: p.detach().clone() for name, p in self._live.items()}
        self.copy_to_model()
        try:
            yield
        finally:
            with torch.no_grad():
                for name, p in self._live.items():
                    p.copy_(own[name])

    def load(self, average: dict[str, Tensor], updates: int) -> None:
        """Go on from a checkpoint."""
        for name, value in average.items():
            self.average[name].copy_(value)
        self.updates = updates
