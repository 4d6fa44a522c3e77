"""How to sample: which sampler, in how many steps, with which guidance."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import torch
from torch import Tensor

from zoo.errors import ZooError, below, unknown
from zoo.option_types import check_options, check_type
from zoo.registry import samplers
from zoo.samplers import Denoise, Trajectory
from zoo.schedules import Schedule

VERSION = 1  # raise it when the same options give other samples
Callback = Callable[[int, Tensor], None]  # (steps done, current estimate of x0)


@dataclass(frozen=True)
class SamplerConfig:
    """How to sample. The defaults keep the standard deviation of a Gaussian within 2 % (``docs/samplers.md``).

    Args:
        name: of a registered sampler.
        steps: network evaluations (doubled by guidance).
        guidance: strength of classifier-free guidance on the encoder's features; 1 is none.
        time_power: above 1, longer steps near pure noise and shorter ones near the end; 1: evenly spaced.
        eta: of samplers that take it, as ddim does: 0 deterministic, 1 as noisy as DDPM.
        dynamic_threshold: percentile in (0, 1] beyond which x0 is pulled in (Saharia et al. 2022), or None.
        options: what else this sampler takes.
    """

    name: str = "deis"
    steps: int = 8
    guidance: float = 1.0
    time_power: float = 2.5
    eta: float = 0.0
    dynamic_threshold: float | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        samplers.create(self.name, **self.options)
        if self.steps < 1:
            raise ZooError(f"steps must be at least 1, not {self.steps}")
        if not self.time_power > 0:
            raise ZooError(f"time_power must be greater than 0, not {self.time_power}")
        if self.eta and not self._takes_eta:
            raise ZooError(f"eta is for samplers that take it, as ddim does; {self.name} does not")
        if not 0 <= self.eta <= 1:
            raise ZooError(f"eta must lie in [0, 1], not {self.eta}")
        if self.dynamic_threshold is not None and not 0 < self.dynamic_threshold <= 1:
            raise ZooError(f"dynamic_threshold must lie in (0, 1], not {self.dynamic_threshold}")

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> SamplerConfig:
        """From the options of all samplers and those of the named one, side by side.

        Raises:
            ZooError: one that is not known, is missing, or cannot be, named ``sampler.…``.
        """
        shared = {field.name for field in fields(cls)} - {"options"}
        name = given.get("name", cls.name)
        check_type("sampler.name", name, str)
        own = {key: value for key, value in given.items() if key not in shared}
        known = samplers.options(name)
        for key in own:
            if key not in known:
                raise ZooError(unknown("option", key, {*shared, *known}, "sampler"))
        check_options("sampler", samplers.get(name), own, given=(*samplers.given, *shared))
        common = {key: value for key, value in given.items() if key in shared}
        check_options("sampler", cls, common)
        try:
            return cls(**common, options=own)
        except ZooError as error:
            raise ZooError(below("sampler", common, str(error))) from None

    def in_use(self, *, regression: bool, guided: bool) -> dict[str, Any]:
        """Its options but for those that nothing reads: two that agree in these are one.

        Args:
            regression: x0 is said at once, in one evaluation.
            guided: there is a context that guidance could lead to.
        """
        read = {"dynamic_threshold"} | ({"guidance"} if guided and self.guidance != 1 else set())
        if not regression:
            read |= {"name", "steps", "time_power", *self.options} | ({"eta"} if self._takes_eta else set())
        return {name: value for name, value in self.as_dict().items() if name in read}

    def as_dict(self) -> dict[str, Any]:
        """Plain values: its own and, among them, those of ``options``."""
        own = asdict(self)
        return own | own.pop("options")

    def __call__(
        self,
        denoise: Denoise,
        x: Tensor,
        schedule: Schedule,
        *,
        generators: Sequence[torch.Generator] = (),
        callback: Callback | None = None,
    ) -> Tensor:
        """Run the sampler of this name; ``callback`` hears of each x0, one a step."""
        count = itertools.count(1)

        def told(x: Tensor, t: Tensor) -> Tensor:
            x0 = denoise(x, t)
            if callback:
                callback(next(count), x0)
            return x0

        sampler = samplers.create(self.name, **({"eta": self.eta} if self._takes_eta else {}), **self.options)
        return sampler(told, x, Trajectory(schedule, self.steps, self.time_power, generators))

    @property
    def _takes_eta(self) -> bool:
        return "eta" in samplers.options(self.name)
