"""Networks that take noise off ab. Every module here is the denoiser of its name."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from zoo.features import FeatureLevel
from zoo.registry import denoisers

Inject = Callable[[Tensor, int], Tensor]


class Denoiser(nn.Module, ABC):
    """ab_t at 1/r of the resolution and L at full resolution → the network's prediction at ab's resolution.

    It knows neither encoder nor sampler. Its constructor takes its options and ``extra``: how many channels the
    conditioner joins at each level; without it, none. It draws its weights from torch's seed.

    Attributes:
        chroma_scale: r: ab is diffused at 1/r of the image; of the class, where it is no option of this name.
        embed_dim: of what a conditioner may add to the time embedding.
        hints: whether it is told colours that are known at some places (`zoo.diffusion.hints`).
        chroma_statistics: mean and standard deviation by which ab is normalised; None: those of the training images.
        version: raise it when the same options give another network; part of the ids of runs.
    """

    chroma_scale: int
    embed_dim: int
    hints: bool = False
    chroma_statistics: tuple[float, float] | None = None
    version: int = 1

    @classmethod
    @abstractmethod
    def levels(cls, **options: Any) -> tuple[FeatureLevel, ...]:
        """The stages of one with these options, at each of which features may enter, fine → coarse.

        Their strides are relative to the image, whose sides are multiples of the last one.

        Raises:
            ZooError: options that cannot be.
        """

    @classmethod
    def in_use(cls, options: dict[str, Any]) -> dict[str, Any]:
        """``options`` as they are read: two that agree in these are one network, and one run."""
        return options

    @abstractmethod
    def forward(self, ab_t: Tensor, L: Tensor, t: Tensor, inject: Inject, embedding: Tensor | None) -> Tensor:
        """Prediction (N, 2, h, w) for ``ab_t`` (N, 2, h, w), L (N, 1, H, W) and t (N,) in [0, 1].

        One with ``hints`` also takes ``hints``: (N, 3, h, w), or None: there are none.

        Args:
            inject: ``(h, level) → h`` joined with the conditioner's extra channels, for h (N, C, h, w) of that level's
                channels and stride; to be called once for each level, in their order.
            embedding: something to add to the time embedding, (N, embed_dim), or None.
        """


def stages(options: Mapping[str, Any]) -> tuple[FeatureLevel, ...]:
    """The levels of the denoiser with these options, of which ``name`` (default: unet) is one."""
    return denoisers.get(options.get("name", "unet")).levels(**_without_name(options))


def create(options: Mapping[str, Any], extra: Sequence[int] = ()) -> Denoiser:
    """That denoiser, with ``extra`` channels joined at each level."""
    return denoisers.create(options.get("name", "unet"), **_without_name(options), extra=extra)


def chroma_scale(options: Mapping[str, Any]) -> int:
    """At what fraction of the image's resolution it diffuses ab, without building it."""
    cls = denoisers.get(options.get("name", "unet"))
    parameter = inspect.signature(cls).parameters.get("chroma_scale")
    usual = getattr(cls, "chroma_scale", None) if parameter is None else parameter.default
    scale: int = options.get("chroma_scale", usual)
    return scale


def _without_name(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name != "name"}
