"""How photos are coloured: what a user can choose."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypedDict

from zoo.diffusion.samplers import SamplerConfig
from zoo.errors import ZooError
from zoo.photos.hints import Hint

Told: TypeAlias = "Hint | str | tuple[float, float, str]"
_TIME_POWER = {"ddim": 2.5}  # as configs/sampler; 1 for the others


@dataclass(frozen=True)
class ColorizeOptions:
    """How to colour.

    Args:
        samples: different colourings of each photo, each as it was drawn; 1: the one to be trusted, which is the mean
            of all such and pale where they would disagree (`zoo.photos.trust`).
        vivid: show one colouring as it was drawn, instead of the one to be trusted.
        sampler: "deis", "ddim", "dpmpp_2m", "ddpm", or one of a plug-in.
        sampler_options: what else that sampler takes, as ``{"eta": 0.5}`` of ddim.
        steps: of sampling; few, by a solver of second order, are nearly as good as many (docs/samplers.md).
        guidance: classifier-free, on the encoder's features; 1 is none.
        time_power: see `SamplerConfig`; None: what suits the sampler.
        seed: of the noise, which depends on it and on the photo: no two photos share their blotches.
        saturation: factor on the chroma; 0 gives grey.
        detect: look for faces, and colour each by itself.
        batch_size: pictures that go through the network at once.
        hints: colours that are known at some places of the photo, of which there is one then: `Hint`, or its text, or
            (x, y, "#RRGGBB"). For models that were trained to be told.

    Raises:
        ZooError: a value that cannot be.
    """

    samples: int = 1
    vivid: bool = False
    sampler: str = "dpmpp_2m"
    steps: int = 5
    guidance: float = 1.0
    time_power: float | None = None
    seed: int = 0
    saturation: float = 1.0
    detect: bool = True
    batch_size: int = 16
    hints: Sequence[Hint] = ()
    sampler_options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, least in (("samples", 1), ("steps", 1), ("seed", 0), ("batch_size", 1)):
            value = getattr(self, name)
            if not isinstance(value, int) or value < least:
                raise ZooError(f"{name} must be a whole number, at least {least}, not {value!r}")
        for name in ("guidance", "saturation"):
            value = getattr(self, name)
            if not (isinstance(value, int | float) and math.isfinite(value) and value >= 0):
                raise ZooError(f"{name} must be a number, at least 0, not {value!r}")
        if isinstance(self.hints, str) or not isinstance(self.hints, Sequence):
            raise ZooError(f"hints must be a list of them, not {self.hints!r}")
        object.__setattr__(self, "hints", tuple(Hint.of(hint) for hint in self.hints))
        if not isinstance(self.sampler_options, Mapping):
            raise ZooError(f"sampler_options must be names with values, not {self.sampler_options!r}")
        object.__setattr__(self, "sampler_options", dict(self.sampler_options))
        self.sampling()

    @property
    def as_drawn(self) -> bool:
        """Whether colourings are shown as they are drawn, and not the one that is to be trusted."""
        return self.vivid or self.samples > 1

    def sampling(self, *, at_once: bool = False) -> SamplerConfig:
        """How a colouring is drawn; ``at_once``: by the first step alone, which says the mean of all."""
        if at_once:
            return SamplerConfig("ddim", 1, self.guidance)
        power = _TIME_POWER.get(self.sampler, 1.0) if self.time_power is None else self.time_power
        own = {"name": self.sampler, "steps": self.steps, "guidance": self.guidance, "time_power": power}
        if taken := sorted({*own} & {*self.sampler_options}):
            raise ZooError(f"sampler_options: {taken[0]} is an option of all samplers, beside these")
        return SamplerConfig.of({**own, **self.sampler_options})


class Keywords(TypedDict, total=False):
    """The same as keywords, less ``samples``, for those who check types."""

    vivid: bool
    sampler: str
    steps: int
    guidance: float
    time_power: float | None
    seed: int
    saturation: float
    detect: bool
    batch_size: int
    hints: Sequence[Told]
    sampler_options: Mapping[str, Any]
