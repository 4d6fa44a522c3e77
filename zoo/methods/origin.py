"""The project that this one grew from."""

from __future__ import annotations

from zoo.methods.diffusion import DiffusionMethod
from zoo.registry import methods


@methods.register("origin")
class OriginMethod(DiffusionMethod):
    """The original project's network and diffusion, sampled as the others are; configs/method/origin.yaml has both."""
