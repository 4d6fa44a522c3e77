"""No conditioning on features: the denoiser still sees L."""

from __future__ import annotations

from zoo.conditioners import Conditioner, Context
from zoo.features import Features
from zoo.registry import conditioners


@conditioners.register("none")
class NoConditioner(Conditioner):
    """Injects nothing, so the encoder is not even run."""

    uses_encoder = False

    def prepare(self, features: Features, size: tuple[int, int]) -> Context:
        return ()
