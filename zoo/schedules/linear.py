"""The linear schedule of DDPM, in steps."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from zoo.registry import schedules
from zoo.schedules import Schedule


@schedules.register("linear")
class Linear(Schedule):
    """The discrete schedule of DDPM (Ho et al. 2020): T steps, β from 1e-4 to 0.02; t is rounded up to k/T."""

    def __init__(self, T: int = 1000) -> None:
        self.T = T

    def time(self, t: Tensor) -> Tensor:
        return self._step(t) / self.T

    def alpha(self, t: Tensor) -> Tensor:
        return self._alpha_bar(t).sqrt()

    def sigma(self, t: Tensor) -> Tensor:
        return (1 - self._alpha_bar(t)).sqrt()

    def _alpha_bar(self, t: Tensor) -> Tensor:
        return self._table.to(t.device)[self._step(t)]

    def _step(self, t: Tensor) -> Tensor:
        return torch.ceil(t * self.T - 1e-3).long().clamp(0, self.T)  # 1e-3: k/T·T may round up past k

    @cached_property
    def _table(self) -> Tensor:
        beta = torch.linspace(1e-4, 0.02, self.T, dtype=torch.float64)
        return torch.cat([torch.ones(1, dtype=torch.float64), torch.cumprod(1 - beta, 0)]).float()
