"""Several conditioners at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from zoo.conditioners import Conditioner, Context
from zoo.errors import ZooError, below
from zoo.features import FeatureLevel, Features, FeatureSpec
from zoo.registry import conditioners

_CONCAT_AND_FILM: Mapping[str, Mapping[str, Any]] = MappingProxyType({"concat": {}, "film": {}})


@conditioners.register("sum")
class Sum(Conditioner):
    """Every part sees a stage's own input; what they add to it is summed, what they join to it is joined.

    So the order in which parts are written does not matter. On the command line: ``cond=[concat,film]``.

    Args:
        parts: name → options, of two conditioners or more. The conditioner is the one of that name, unless the
            options say ``name``.

    Raises:
        ZooError: fewer than two parts, a part that adds nothing or is a sum itself, or what a part raises.
    """

    def __init__(
        self,
        spec: FeatureSpec,
        denoiser_levels: tuple[FeatureLevel, ...],
        *,
        parts: Mapping[str, Mapping[str, Any]] = _CONCAT_AND_FILM,
    ) -> None:
        super().__init__(spec, denoiser_levels)
        if len(parts) < 2:
            raise ZooError(f"parts must name two conditioners or more, not {', '.join(parts) or 'none at all'}")
        # sorted: random weights are drawn in this order
        built = [_build(key, {"name": key, **parts[key]}, spec, denoiser_levels) for key in sorted(parts)]
        self.parts = nn.ModuleList(built)
        self.uses_encoder = any(part.uses_encoder for part in built)

    @classmethod
    def in_use(cls, options: dict[str, Any]) -> dict[str, Any]:
        return _each_part(options, lambda part, own: part.in_use(own))

    @classmethod
    def in_use_for(cls, options: dict[str, Any], spec: FeatureSpec) -> dict[str, Any]:
        return _each_part(options, lambda part, own: part.in_use_for(own, spec))

    def prepare(self, features: Features, size: tuple[int, int]) -> Context:
        return tuple(tensor for part in self._parts() for tensor in part.prepare(features, size))

    def extra_channels(self, level: int) -> int:
        return sum(part.extra_channels(level) for part in self._parts())

    def inject(self, h: Tensor, level: int, context: Context) -> Tensor:
        channels = h.shape[1]
        total, joined = h, []
        for part, own in self._each_with_its(context):
            injected = part.inject(h, level, own)  # (N, C + part.extra_channels(level), h, w)
            total = total + (injected[:, :channels] - h)
            if part.extra_channels(level):
                joined.append(injected[:, channels:])
        return torch.cat([total, *joined], dim=1) if joined else total

    def embed(self, context: Context) -> Tensor | None:
        embeddings = [part.embed(own) for part, own in self._each_with_its(context)]
        given = [embedding for embedding in embeddings if embedding is not None]
        return torch.stack(given).sum(0) if given else None

    def drop(self, context: Context, where: Tensor) -> Context:
        return tuple(tensor for part, own in self._each_with_its(context) for tensor in part.drop(own, where))

    def _parts(self) -> list[Conditioner]:
        return list(self.parts)  # type: ignore[arg-type]

    def _each_with_its(self, context: Context) -> list[tuple[Conditioner, Context]]:
        """Each part with its share of the context: a tensor for each of its nulls."""
        shares, start = [], 0
        for part in self._parts():
            shares.append((part, context[start : start + len(part.null)]))
            start += len(part.null)
        return shares


def _each_part(
    options: dict[str, Any], read: Callable[[type[Conditioner], dict[str, Any]], dict[str, Any]]
) -> dict[str, Any]:
    """The options of a sum, with those of each part as ``read`` has them."""
    parts = options.get("parts")
    if not isinstance(parts, Mapping):  # whoever builds it says what is wrong with that, or with one of them
        return options
    own = {
        key: read(conditioners.get(str(part.get("name", key))), dict(part)) if isinstance(part, Mapping) else part
        for key, part in parts.items()
    }
    return {**options, "parts": own}


def _build(
    key: str, options: dict[str, Any], spec: FeatureSpec, denoiser_levels: tuple[FeatureLevel, ...]
) -> Conditioner:
    name = options.pop("name")
    if name in ("none", "sum"):
        raise ZooError(f"parts.{key}: {'it adds nothing' if name == 'none' else 'a sum cannot hold another'}")
    try:
        return conditioners.create(name, spec, denoiser_levels, **options)
    except ZooError as error:
        raise ZooError(below(f"parts.{key}", conditioners.options(name), str(error))) from None
