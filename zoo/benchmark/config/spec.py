"""The resolved configuration of one run, typed and checked before anything heavy is touched."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar

import pooch

from zoo import registry
from zoo.benchmark.config.options import PRIMARY, check_options, check_range, check_type, under
from zoo.denoisers import stages
from zoo.diffusion.process import Diffusion
from zoo.diffusion.samplers import SamplerConfig
from zoo.errors import ZooError, below, unknown
from zoo.evaluation.evaluate import EvalConfig
from zoo.metrics import Metric, at
from zoo.model import ColorDiffusion
from zoo.training.config import TrainConfig

T = TypeVar("T")

HINTED = ("psnr", "st_lpips")  # metrics of the track of hints: eval.hints=[0,1,5,20,100]
_SECTIONS = ("encoder", "cond", "data", "diffusion", "sampler", "train", "metrics", "denoiser", "eval")


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

    def open(self) -> Metric:
        metric = registry.metrics.create(self.name, **self.options)
        metric.hints = self.hints
        return metric


@dataclass(frozen=True)
class Machine:
    """Where and on what a run takes place. None of it is part of the run's identity.

    Args:
        device: auto, cpu, mps, cuda or cuda:1.
        plugins: modules to import for the names they register.
        results_dir: the folder of run folders.
        cache_dir: of decoded images and features; None: ``$ZOO_CACHE``, or the platform's cache folder.
        table: a CSV to which the rows are appended too.
    """

    device: str = "auto"
    plugins: tuple[str, ...] = ()
    results_dir: str = "results/runs"
    cache_dir: str | None = None
    table: str | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", self.device):
            raise ZooError(f"device must be auto, cpu, mps, cuda or cuda:<number>, not {self.device!r}")

    @property
    def cache(self) -> Path:
        """`cache_dir`, with its default resolved."""
        folder = self.cache_dir or os.environ.get("ZOO_CACHE") or pooch.os_cache("face-colour-zoo")
        return Path(folder).expanduser()


@dataclass(frozen=True)
class Spec:
    """All that one run is. Options that nothing reads have their default, whatever was asked for, so that runs that
    differ in these alone go on from each other's checkpoints. Sections and names are those of ``configs/``, but for
    ``data.limit``, ``data.crop`` and ``data.dedupe``; ``eval.hints`` is in the metrics.

    ``method`` says how colours come about: by the pair under test (``diffusion``), or by a baseline, which may have
    options (``method.root``); ``primary`` is the score that was named beforehand as the one to judge by
    (``metrics.primary``).
    """

    method: str
    method_options: dict[str, Any]
    encoder: PlugIn
    cond: PlugIn
    data: PlugIn
    data_limit: int | None
    dedupe: bool
    data_crop: tuple[float, float] | None
    metrics: dict[str, MetricPlugIn]
    primary: str | None
    denoiser: dict[str, Any]
    diffusion: Diffusion
    sampler: SamplerConfig
    train: TrainConfig
    eval: EvalConfig
    image_size: int
    seed: int
    machine: Machine

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Spec:
        """Check a resolved configuration (plain dicts and lists).

        Raises:
            ZooError: naming a key that is unknown, missing, of a wrong type or out of range.
        """
        machine = {field.name for field in fields(Machine)}
        _check_keys(config, machine)
        sections = {name: _section(config, name) for name in _SECTIONS}
        data = dict(sections["data"])
        limit, dedupe, crop = data.pop("limit", None), data.pop("dedupe", False), data.pop("crop", None)
        scored = dict(sections["eval"])
        metrics, primary = _metrics(sections["metrics"], _counts(scored.pop("hints", [])))
        _check_number("image_size", config["image_size"], int, "[8, inf)")
        _check_number("seed", config["seed"], int, "[0, inf)")
        _check_number("data.limit", limit, int | None, "[1, inf)")
        check_type("data.dedupe", dedupe, bool)
        _check_crop(crop)
        sections["denoiser"] = _denoiser(sections["denoiser"], config["image_size"])
        diffusion = _build("diffusion", Diffusion, sections["diffusion"])
        method = _method(config["method"])
        _check_method(method.name, diffusion)
        encoder, cond = (
            _plug_in("encoder", sections["encoder"], registry.encoders),
            _conditioner("cond", sections["cond"]),
        )
        return cls(
            method=method.name,
            method_options=method.options,
            encoder=encoder if registry.conditioners.get(cond.name).uses_encoder else PlugIn("none", {}),
            cond=cond,
            data=_plug_in("data", data, registry.datasets),
            data_limit=limit,
            dedupe=dedupe,
            data_crop=None if crop is None else (crop[0], crop[1]),
            metrics=metrics,
            primary=primary,
            denoiser=dict(sections["denoiser"]),
            diffusion=Diffusion(**diffusion.in_use()),
            sampler=_build("sampler", SamplerConfig, sections["sampler"]),
            train=_train(sections, uses_encoder=registry.conditioners.get(cond.name).uses_encoder),
            eval=_build("eval", EvalConfig, scored),
            image_size=config["image_size"],
            seed=config["seed"],
            machine=_build("", Machine, {key: config[key] for key in machine & set(config)}),
        )

    @property
    def method_label(self) -> str:
        """What the method is called in tables: with ``method.label``, where it has one."""
        label = self.method_options.get("label")
        return self.method if label is None else f"{self.method}({label})"

    def build_model(self) -> ColorDiffusion:
        """The untrained model. Raises `ZooError` for missing weights or an impossible pair."""
        encoder = under("encoder", registry.encoders, self.encoder.name, building=True)
        with encoder, under("cond", registry.conditioners, self.cond.name, building=True):
            return ColorDiffusion(
                encoder=self.encoder.as_dict(),
                cond=self.cond.as_dict(),
                denoiser=self.denoiser,
                diffusion=asdict(self.diffusion),
                image_size=self.image_size,
                seed=self.seed,
            )

    def open_metrics(self) -> dict[str, Metric]:
        """The metrics, under their keys in the configuration; no weights are loaded."""
        made = {}
        for key, metric in self.metrics.items():
            with under(f"metrics.{key}", registry.metrics, metric.name):
                made[key] = metric.open()
        return made

    def as_dict(self) -> dict[str, Any]:
        """Plain values, in the layout of the configuration."""
        plain = {
            "method": {"name": self.method, **self.method_options} if self.method_options else self.method,
            "encoder": self.encoder.as_dict(),
            "cond": self.cond.as_dict(),
            "data": {
                **self.data.as_dict(),
                "limit": self.data_limit,
                "dedupe": self.dedupe,
                "crop": self.data_crop,
            },
            "diffusion": asdict(self.diffusion),
            "sampler": asdict(self.sampler),
            "train": asdict(self.train),
            "metrics": {
                **{key: metric.as_dict() for key, metric in self.metrics.items()},
                PRIMARY: self.primary,
            },
            "image_size": self.image_size,
            "seed": self.seed,
            "denoiser": dict(self.denoiser),
            "eval": asdict(self.eval),
            **asdict(self.machine),
        }
        return _as_yaml(plain)


def _check_keys(config: Mapping[str, Any], machine: set[str]) -> None:
    own = {*_SECTIONS, "method", "image_size", "seed"}
    for key in config:
        if key not in own | machine:
            raise ZooError(unknown("option", str(key), own | machine))
    for key in sorted(own - set(config)):
        raise ZooError(f"the configuration lacks {key!r}; see configs/config.yaml")


def _section(config: Mapping[str, Any], name: str, prefix: str = "") -> Mapping[str, Any]:
    section = config[name]
    if not isinstance(section, Mapping):
        raise ZooError(f"{prefix}{name} must be one of its group's options, with values below it, not {section!r}")
    return section


def _build(section: str, cls: type[T], options: Mapping[str, Any]) -> T:
    check_options(section, cls, options)
    try:
        return cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in options.items()})
    except ZooError as error:
        raise ZooError(below(section, options, str(error)) if section else str(error)) from None


def _plug_in(
    section: str, node: Mapping[str, Any], names: registry.Registry[Any], *, given: tuple[str, ...] = ()
) -> PlugIn:
    """The name and options of a node; imports the class, to check them against its constructor."""
    options = dict(node)
    name = options.pop("name", None)
    check_type(f"{section}.name", name, str)
    check_options(section, names.get(str(name)), options, given=given)
    cls = names.get(str(name))
    return PlugIn(str(name), cls.in_use(options) if hasattr(cls, "in_use") else options)


def _train(sections: Mapping[str, Mapping[str, Any]], *, uses_encoder: bool) -> TrainConfig:
    asked = _build("train", TrainConfig, sections["train"])
    if not uses_encoder:  # there is no context that could be dropped
        asked = replace(asked, p_uncond=TrainConfig.p_uncond)
    return asked if sections["denoiser"].get("hints") else replace(asked, p_hints=TrainConfig.p_hints)


def _method(node: Any) -> PlugIn:
    """A name alone, or a node as others are."""
    given = registry.methods.given
    return _plug_in("method", node if isinstance(node, Mapping) else {"name": str(node)}, registry.methods, given=given)


def _conditioner(section: str, node: Mapping[str, Any]) -> PlugIn:
    """A conditioner, and the parts of one that is a sum."""
    chosen = _plug_in(section, node, registry.conditioners, given=("spec", "denoiser_levels"))
    if chosen.name == "sum":
        parts = _section({"parts": None, **chosen.options}, "parts", f"{section}.")
        for key in parts:
            _conditioner(f"{section}.parts.{key}", {"name": key, **_section(parts, key, f"{section}.parts.")})
    return chosen


def _metrics(nodes: Mapping[str, Any], hints: Sequence[int]) -> tuple[dict[str, MetricPlugIn], str | None]:
    """Each node is a metric under a name of its own; the metric is the one of that name, unless it says ``name:``.
    Those of `HINTED` also stand there once for each number of ``hints``. Beside them the score that is primary."""
    found = {key: _metric(key, _section(nodes, key, "metrics.")) for key in nodes if key != PRIMARY}
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


def _counts(hints: Any) -> Sequence[int]:
    if not isinstance(hints, list) or not all(type(n) is int and n >= 0 for n in hints) or len({*hints}) < len(hints):
        raise ZooError(
            f"eval.hints must be different numbers of places, as in eval.hints=[0,1,5,20,100], not {hints!r}"
        )
    return hints


def _metric(key: str, node: Mapping[str, Any]) -> MetricPlugIn:
    options = {"name": key, **node}
    hints = options.pop("hints", None)
    _check_number(f"metrics.{key}.hints", hints, int | None, "[0, inf)")
    chosen = _plug_in(f"metrics.{key}", options, registry.metrics)
    return MetricPlugIn(chosen.name, chosen.options, hints)


def _check_number(name: str, value: Any, hint: Any, interval: str) -> None:
    check_type(name, value, hint)
    if value is not None:
        check_range(name, value, interval)


def _check_crop(crop: Any) -> None:
    numbers = isinstance(crop, list) and len(crop) == 2 and all(type(side) in (int, float) for side in crop)
    if crop is not None and not (numbers and 0 < crop[0] <= crop[1] <= 1):
        raise ZooError(
            f"data.crop must be the least and largest side in (0, 1], as in data.crop=[0.5,1], or null, not {crop!r}"
        )


def _check_method(method: Any, diffusion: Diffusion) -> None:
    if diffusion.regression != (registry.methods.get(str(method)).defaults.get("diffusion.schedule") == "none"):
        raise ZooError("method=regression and diffusion=regression are one thing; give method=regression alone")


def _denoiser(given: Mapping[str, Any], image_size: int) -> dict[str, Any]:
    """The options that the named denoiser takes; the section holds those of all of them. Unet's need no name."""
    name = given.get("name", "unet")
    chosen = registry.denoisers.get(name)
    takes = {
        every: set(inspect.signature(registry.denoisers.get(every)).parameters) for every in ("unet", "origin", name)
    }
    of_others = set().union(*takes.values()) - takes[name]
    options = {key: value for key, value in given.items() if key not in ("name", *of_others)}
    check_options("denoiser", chosen, options, given=("extra",))
    if name != "unet":
        options = {"name": name, **options}
    if hasattr(chosen, "in_use"):
        options = chosen.in_use(options)
    stride = stages(options)[-1].stride
    if image_size % stride:
        near = max(1, round(image_size / stride)) * stride
        raise ZooError(
            f"image_size must be a multiple of chroma_scale · patch · 2^(levels − 1) = {stride}, "
            f"not {image_size}; try image_size={near}"
        )
    return options


def _as_yaml(value: Any) -> Any:
    """Dicts, lists and scalars only."""
    if isinstance(value, Mapping):
        return {str(key): _as_yaml(item) for key, item in value.items()}
    return [_as_yaml(item) for item in value] if isinstance(value, list | tuple) else value
