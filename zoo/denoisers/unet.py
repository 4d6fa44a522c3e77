"""The zoo's own network."""

from __future__ import annotations

from zoo.diffusion.denoiser import Denoiser
from zoo.registry import denoisers


@denoisers.register("unet")
class UNet(Denoiser):
    """A UNet over ab at a fraction of the resolution, which is told all of L; options as of `Denoiser`."""
