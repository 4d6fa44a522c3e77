"""The parts of a configuration that name plug-ins, and their options, checked against the constructors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from zoo import registry
from zoo.benchmark.config.options import PRIMARY, check_range
from zoo.errors import ZooError, below, unknown
from zoo.metrics import Metric, at
from zoo.option_types import check_options, check_type

T = TypeVar("T")

HINTED = ("psnr", "st_lpips")  # metrics of the track of hints: eval.hints=[0,1,5,20,100]


@dataclass(frozen=True)
class PlugIn:
    """A registered name and the options of its constructor."""

    name: str
    options: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name, **self.options}


@dataclass(frozen=True)
class MetricPlugIn(PlugIn):
    """A metric; with ``hints`` of colourings that were told the true colours at so many places."""

    hints: int | None = None

    def as_dict(self) -> dict[str, Any]:
        return super().as_dict() | ({} if self.hints is None else {"hints": self.hints})

    def of_set(self, images: int) -> MetricPlugIn:
        """The same, of a set of so many images: without what makes no difference there."""
        return replace(self, options=registry.metrics.get(self.name).in_use_for(self.options, images))

    def open(self) -> Metric:
        metric = registry.metrics.create(self.name, **self.options)
        metric.hints = self.hints
        return metric


def node_of(config: Mapping[str, Any], name: str, prefix: str = "") -> Mapping[str, Any]:
    section = config[name]
    if not isinstance(section, Mapping):
        raise ZooError(f"{prefix}{name} must be one of its group's options, with values below it, not {section!r}")
    return section


def build(section: str, cls: type[T], options: Mapping[str, Any]) -> T:
    check_options(section, cls, options)
    try:
        return cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in options.items()})
    except ZooError as error:
        raise ZooError(below(section, options, str(error)) if section else str(error)) from None


def plug_in(
    section: str, node: Mapping[str, Any], names: registry.Registry[Any], *, given: tuple[str, ...] = ()
) -> PlugIn:
    """The name and options of a node; imports the class, to check them against its constructor."""
    options = dict(node)
    name = options.pop("name", None)
    check_type(f"{section}.name", name, str)
    check_options(section, names.get(str(name)), options, given=given)
    cls = names.get(str(name))
    return PlugIn(str(name), cls.in_use(options) if hasattr(cls, "in_use") else options)


def method_of(node: Any) -> PlugIn:
    """A name alone, or a node as others are."""
    given = registry.methods.given
    return plug_in("method", node if isinstance(node, Mapping) else {"name": str(node)}, registry.methods, given=given)


def conditioner_of(section: str, node: Mapping[str, Any]) -> PlugIn:
    """A conditioner, and the parts of one that is a sum."""
    chosen = plug_in(section, node, registry.conditioners, given=("spec", "denoiser_levels"))
    if chosen.name == "sum":
        parts = node_of({"parts": None, **chosen.options}, "parts", f"{section}.")
        for key in parts:
            conditioner_of(f"{section}.parts.{key}", {"name": key, **node_of(parts, key, f"{section}.parts.")})
    return chosen


def metrics_of(nodes: Mapping[str, Any], hints: Sequence[int]) -> tuple[dict[str, MetricPlugIn], str | None]:
    """Each node is a metric under a name of its own; the metric is the one of that name, unless it says ``name:``.
    Those of `HINTED` also stand there once for each number of ``hints``. Beside them the score that is primary."""
    found = {key: _metric(key, node_of(nodes, key, "metrics.")) for key in nodes if key != PRIMARY}
    told = {key: metric for key, metric in found.items() if metric.name in HINTED and metric.hints is None}
    if hints and not told:
        raise ZooError(f"eval.hints is for {' and '.join(HINTED)}; name one of them in metrics=[…]")
    found |= {at(key, n): replace(metric, hints=n) for n in hints for key, metric in told.items()}
    if not found:
        raise ZooError("metrics is empty; name at least one, as in metrics=[lpips]")
    primary = nodes.get(PRIMARY)
    check_type(f"metrics.{PRIMARY}", primary, str | None)
    if primary is not None:
        scores = {at(name, metric.hints) for metric in found.values() for name in metric.open().names()}
        if primary not in scores:
            raise ZooError(f"metrics.{PRIMARY}: {unknown('score', primary, scores)}")
    return found, primary


def counts(hints: Any) -> Sequence[int]:
    if not isinstance(hints, list) or not all(type(n) is int and n >= 0 for n in hints) or len({*hints}) < len(hints):
        raise ZooError(
            f"eval.hints must be different numbers of places, as in eval.hints=[0,1,5,20,100], not {hints!r}"
        )
    return hints


def _metric(key: str, node: Mapping[str, Any]) -> MetricPlugIn:
    options = {"name": key, **node}
    hints = options.pop("hints", None)
    check_number(f"metrics.{key}.hints", hints, int | None, "[0, inf)")
    chosen = plug_in(f"metrics.{key}", options, registry.metrics)
    return MetricPlugIn(chosen.name, chosen.options, hints)


def check_number(name: str, value: Any, hint: Any, interval: str) -> None:
    check_type(name, value, hint)
    if value is not None:
        check_range(name, value, interval)
