"""The zoo's own network."""

from __future__ import annotations

from zoo.diffusion.denoiser import Denoiser
from zoo.registry import denoisers


@denoisers.register("unet")
class UNet(Denoiser):
    """`zoo.diffusion.denoiser.Denoiser` under its name; options as there."""
