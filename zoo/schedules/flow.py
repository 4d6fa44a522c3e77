"""The straight path of rectified flow."""

from __future__ import annotations

from torch import Tensor

from zoo.registry import schedules
from zoo.schedules import Schedule


@schedules.register("flow")
class Flow(Schedule):
    """(1 − t)·x0 + t·noise (Liu et al. 2023, Lipman et al. 2023), brought to unit variance: α² + σ² = 1.

    What the network sees differs from the straight path by a factor that t alone says; with the objective flow, a step
    of ddim is Euler's along that path.
    """

    def alpha(self, t: Tensor) -> Tensor:
        return (1 - t) / _length(t)

    def sigma(self, t: Tensor) -> Tensor:
        return t / _length(t)


def _length(t: Tensor) -> Tensor:
    return ((1 - t) ** 2 + t**2).sqrt()
