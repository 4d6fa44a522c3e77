"""The resolved configuration of one run, typed and checked before anything heavy is touched."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar

import pooch

from zoo import registry
from zoo.benchmark.config.options import OF_ANY_DATA, PRIMARY, under
from zoo.benchmark.config.plugged import (
    MetricPlugIn,
    PlugIn,
    build,
    check_number,
    conditioner_of,
    counts,
    method_of,
    metrics_of,
    node_of,
    plug_in,
)
from zoo.denoisers import stages
from zoo.diffusion.process import Diffusion
from zoo.diffusion.samplers import SamplerConfig
from zoo.errors import ZooError, unknown
from zoo.evaluation.evaluate import EvalConfig
from zoo.metrics import Metric
from zoo.model import ColorDiffusion
from zoo.option_types import check_options, check_type
from zoo.training.config import TrainConfig

T = TypeVar("T")

_SECTIONS = ("encoder", "cond", "data", "diffusion", "sampler", "train", "metrics", "denoiser", "eval")


@dataclass(frozen=True)
class Machine:
    """Where and on what a run takes place. None of it is part of the run's identity.

    Args:
        device: auto, cpu, mps, cuda or cuda:1.
        plugins: modules to import for the names they register.
        results_dir: the folder of run folders.
        cache_dir: of decoded images and features; None: ``$ZOO_CACHE``, or the platform's cache folder.
        table: a CSV to which the rows are appended too.
        fail_fast: of a sweep: start no other cell once one has failed.
    """

    device: str = "auto"
    plugins: tuple[str, ...] = ()
    results_dir: str = "results/runs"
    cache_dir: str | None = None
    table: str | None = None
    fail_fast: bool = False

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
        sections = {name: node_of(config, name) for name in _SECTIONS}
        data = dict(sections["data"])
        limit, dedupe, crop = (data.pop(key, usual) for key, usual in OF_ANY_DATA.items())
        scored = dict(sections["eval"])
        metrics, primary = metrics_of(sections["metrics"], counts(scored.pop("hints", [])))
        check_number("image_size", config["image_size"], int, "[8, inf)")
        check_number("seed", config["seed"], int, "[0, inf)")
        check_number("data.limit", limit, int | None, "[1, inf)")
        check_type("data.dedupe", dedupe, bool)
        _check_crop(crop)
        sections["denoiser"] = _denoiser(sections["denoiser"], config["image_size"])
        diffusion = build("diffusion", Diffusion, sections["diffusion"])
        method = method_of(config["method"])
        _check_method(method.name, diffusion)
        encoder, cond = (
            plug_in("encoder", sections["encoder"], registry.encoders),
            conditioner_of("cond", sections["cond"]),
        )
        return cls(
            method=method.name,
            method_options=method.options,
            encoder=encoder if registry.conditioners.get(cond.name).uses_encoder else PlugIn("none", {}),
            cond=cond,
            data=plug_in("data", data, registry.datasets),
            data_limit=limit,
            dedupe=dedupe,
            data_crop=None if crop is None else (crop[0], crop[1]),
            metrics=metrics,
            primary=primary,
            denoiser=dict(sections["denoiser"]),
            diffusion=Diffusion(**diffusion.in_use()),
            sampler=SamplerConfig.of(sections["sampler"]),
            train=_train(sections, uses_encoder=registry.conditioners.get(cond.name).uses_encoder),
            eval=build("eval", EvalConfig, scored),
            image_size=config["image_size"],
            seed=config["seed"],
            machine=build("", Machine, {key: config[key] for key in machine & set(config)}),
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

    def with_cond(self, node: Mapping[str, Any]) -> Spec:
        """The same with this conditioner: the asked for one, in what is read of it with the encoder that it met."""
        return replace(self, cond=PlugIn(str(node["name"]), {k: v for k, v in node.items() if k != "name"}))

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
            "sampler": self.sampler.as_dict(),
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


def _train(sections: Mapping[str, Mapping[str, Any]], *, uses_encoder: bool) -> TrainConfig:
    asked = build("train", TrainConfig, sections["train"])
    unread = "warmup" if asked.schedule == "constant" else "warmup_steps"
    asked = replace(asked, **{unread: getattr(TrainConfig, unread)})
    if not uses_encoder:  # there is no context that could be dropped
        asked = replace(asked, p_uncond=TrainConfig.p_uncond)
    return asked if sections["denoiser"].get("hints") else replace(asked, p_hints=TrainConfig.p_hints)


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
    """The options that the named denoiser takes. Presets may have those of others, too. Unet's need no name."""
    name = given.get("name", "unet")
    check_type("denoiser.name", name, str)
    known = registry.denoisers
    takes = known.options(name)
    of_others = {
        option for other in known.list() if known.origin(other) == "built-in" for option in known.options(other)
    }
    options = {key: given[key] for key in given if key != "name" and (key in takes or key not in of_others)}
    check_options("denoiser", known.get(name), options, given=known.given)
    options = known.get(name).in_use(options)
    if name != "unet":
        options = {"name": name, **options}
    stride = stages(options)[-1].stride
    if image_size % stride:
        near = max(1, round(image_size / stride)) * stride
        raise ZooError(
            f"image_size must be a multiple of {stride}, the stride of this denoiser's coarsest stage, "
            f"not {image_size}; try image_size={near}"
        )
    return options


def _as_yaml(value: Any) -> Any:
    """Dicts, lists and scalars only."""
    if isinstance(value, Mapping):
        return {str(key): _as_yaml(item) for key, item in value.items()}
    return [_as_yaml(item) for item in value] if isinstance(value, list | tuple) else value
