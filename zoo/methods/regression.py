"""The baseline of every diffusion model: the same network says ab at once."""

from __future__ import annotations

from types import MappingProxyType

from zoo.methods.diffusion import DiffusionMethod
from zoo.registry import methods


@methods.register("regression")
class RegressionMethod(DiffusionMethod):
    """The same denoiser and budget, trained to say ab at once by L2; one evaluation instead of sampling."""

    defaults = MappingProxyType({"diffusion.parameterisation": "x0", "diffusion.schedule": "none"})
