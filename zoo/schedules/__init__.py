"""Noise schedules: how much signal and noise there is at each time. Every module here is the schedule of its name.

x_t = α(t)·x0 + σ(t)·noise, from the image at t = 0 to noise at t = 1.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor


class Schedule(ABC):
    """α and σ at times t in [0, 1] of any shape; α² + σ² = 1, and α falls from 1.

    Options of the constructor are given as ``diffusion.schedule={name: mine, shift: 2}``.
    """

    @abstractmethod
    def alpha(self, t: Tensor) -> Tensor: ...

    @abstractmethod
    def sigma(self, t: Tensor) -> Tensor: ...

    def time(self, t: Tensor) -> Tensor:
        """The times that there are: of one in steps, that whose α and σ ``t`` gets."""
        return t
