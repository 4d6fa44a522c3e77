"""Networks that take noise off ab. Every module here is the denoiser of its name.

A denoiser is a module of the signature of `zoo.diffusion.denoiser.Denoiser`: ``forward(ab_t, L, t, inject,
embedding)``, built from its options and ``extra``, the channels that the conditioner joins at each level. It has

* ``levels(**options)``, a class method: its stages, fine → coarse, with strides relative to the image, at each of which
  it calls ``inject`` once;
* ``chroma_scale``: ab is diffused at 1/chroma_scale of the image;
* ``embed_dim``: of what a conditioner may add to the time embedding;
* ``chroma_statistics``: mean and standard deviation by which ab is normalised; None: those of the training images.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zoo.features import FeatureLevel
from zoo.registry import denoisers


def stages(options: Mapping[str, Any]) -> tuple[FeatureLevel, ...]:
    """The levels of the denoiser with these options, of which ``name`` (default: unet) is one."""
    return denoisers.get(options.get("name", "unet")).levels(**_without_name(options))


def create(options: Mapping[str, Any], extra: Sequence[int] = ()) -> Any:
    """That denoiser, with ``extra`` channels joined at each level."""
    return denoisers.create(options.get("name", "unet"), **_without_name(options), extra=extra)


def _without_name(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name != "name"}
