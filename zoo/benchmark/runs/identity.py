"""What a run is, and what its scores may be compared with: hashes over all that a number depends on.

`run_id` needs the hashes of the training images and of the encoder's weights, so it is known only after both were
opened: the same command on other photos is another run, the same photos in another folder the same.

Settings are taken in canonical form: 1 and 1.0 are one, and what nothing reads is left out. Beside them count the
source of plug-ins that are not built in, and the versions of those that are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from functools import cached_property
from types import MappingProxyType
from typing import Any

from zoo import registry
from zoo.benchmark.config.plugged import MetricPlugIn, PlugIn
from zoo.benchmark.config.spec import Spec
from zoo.benchmark.runs.canonical import canonical, content, contents
from zoo.denoisers import chroma_scale
from zoo.diffusion import samplers
from zoo.diffusion.named import name_of
from zoo.methods import Method
from zoo.metrics import FeatureMetric, Metric
from zoo.training import config as training
from zoo.training import validation
from zoo.training.starting import start_file
from zoo.weights import sha256_file

_NOT_IDENTITY = {
    "eval": ("batch_size", "samples", "grid"),
    # the box counts as found, groups where a metric asks for them, what was left out by the photos that are left
    "data": ("root", "download", "face_box", "groups", "people", "dedupe"),
}
_SCORING = ("sampler", "eval", "metrics")


class Identity:
    """All that the numbers of a run depend on.

    Args:
        spec: its configuration.
        manifests: ``"train"`` and ``"eval"`` → sha256 of those images; ``"val"``, where they decide what is kept.
        weights_sha: sha256 of the encoder's pretrained weights, in place of their path or name.
        find_face: the ArcFace template's square in the images (`Dataset.face_box`); called only where it matters.
        framed: whether the encoder sees what this square says.
        contents: of the method's options that are paths, what is read there (`Method.contents`).
    """

    def __init__(
        self,
        spec: Spec,
        *,
        manifests: Mapping[str, str],
        weights_sha: str | None = None,
        find_face: Callable[[], Sequence[float] | None] = lambda: None,
        framed: bool = False,
        contents: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.spec, self.manifests = spec, dict(manifests)
        self.weights_sha, self.find_face, self.framed = weights_sha, find_face, framed
        self.contents = dict(contents)

    @property
    def run_id(self) -> str:
        """12 hex digits over all that may change a score: not paths, device, caches, logging."""
        return digest({**self._what, "protocols": self.protocols})

    @property
    def training_id(self) -> str:
        """12 hex digits over what the trained weights depend on: runs that only sample or score differently share
        it."""
        return digest(self._what)

    @property
    def course_id(self) -> str:
        """12 hex digits over what the weights after each step depend on: trainings that share it are the same as far as
        they go. It is `training_id`, but where the learning rate knows no budget."""
        return self.any_budget_id if self.spec.train.schedule == "constant" else self.training_id

    @property
    def any_budget_id(self) -> str:
        """12 hex digits over what the weights depend on but for how long they are trained."""
        what = self._what
        train = {name: value for name, value in what["settings"]["train"].items() if name not in ("steps", "seconds")}
        return digest({**what, "settings": {**what["settings"], "train": train}})

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The resolved configuration in canonical form: plain values, sections as in ``configs/``."""
        spec, plain = self.spec, self.spec.as_dict()
        for field in fields(spec.machine):
            del plain[field.name]
        for section, names in _NOT_IDENTITY.items():
            plain[section] = {key: value for key, value in plain[section].items() if key not in names}
        plain["data"] = _data_in_use(plain["data"])
        plain["train"] = spec.train.in_use()
        if spec.train.init is not None:
            plain["train"]["init"] = {"sha256": sha256_file(start_file(spec.train.init))}
        plain["diffusion"] = spec.diffusion.in_use()
        if not plain["denoiser"].get("hints"):
            plain["denoiser"].pop("hints", None)
            del plain["train"]["p_hints"]
        if not registry.conditioners.get(spec.cond.name).uses_encoder:
            del plain["train"]["p_uncond"]
        if not self._sampled:
            del plain["eval"]["seed"], plain["eval"]["seeds"]
        plain["encoder"] = {"name": spec.encoder.name, **_encoder_in_use(spec.encoder, self.weights_sha)}
        if self.framed:
            plain["data"]["face_box"] = _plain(self.find_face())
        plain["sampler"] = self._sampler
        if not self._method.trains:
            plain["denoiser"].setdefault("chroma_scale", chroma_scale(spec.denoiser))  # of one that has but one
            read = {name: plain["denoiser"][name] for name in self._method.reads}
            data = ["data"] if self._method.learns else []
            plain = {key: plain[key] for key in ("method", *data, "image_size", "eval", "metrics")}
            plain |= {"denoiser": read} if read else {}
        if spec.method_options:
            plain["method"] |= {name: {"sha256": sha} for name, sha in self.contents.items()}
        own = {kind.partition(".")[0] for kind, sha in self._sources if sha is not None}
        return {key: canonical(contents(value, everywhere=key in own)) for key, value in plain.items()}

    @property
    def _method(self) -> type[Method]:
        return registry.methods.get(self.spec.method)

    @cached_property
    def protocols(self) -> dict[str, dict[str, Any]]:
        """How each metric of the configuration is scored, by the name it has there: by nothing else."""
        opened = self.spec.open_metrics()
        return {key: self._protocol(metric, opened[key]) for key, metric in self.spec.metrics.items()}

    @property
    def _what(self) -> dict[str, Any]:
        return {
            "settings": {key: value for key, value in self.settings.items() if key not in _SCORING} | self._data,
            "versions": self._versions,
            "sources": {kind: sha for kind, sha in self._sources if sha is not None},
            "manifests": self.training_photos,
        }

    @property
    def training_photos(self) -> dict[str, str]:
        """sha256 of the photos to learn from, where the method does, and of those that decide what is kept of it."""
        roles = [*(["train"] if self._method.learns else []), *(["val"] if self._watches else [])]
        return {role: self.manifests[role] for role in roles}

    @property
    def _watches(self) -> bool:
        return self._method.trains and self.spec.train.watches

    @property
    def _data(self) -> dict[str, Any]:
        """What the data set's options do beyond saying which photos there are, for these are in the manifests."""
        data = self.settings.get("data", {})
        if registry.datasets.source_sha(self.spec.data.name) is not None:
            return {"data": data}  # nobody knows what the options of a plug-in mean
        weights = {name: part.get("weight", 1) for name, part in data.get("parts", {}).items()}
        read = {key: data[key] for key in ("crop", "face_box") if key in data}
        return {"data": {**read, **({"weights": weights} if weights else {})} if self._method.trains else {}}

    @property
    def _sampled(self) -> bool:
        """Whether colours depend on the noise of sampling."""
        return self._method.draws and not (self._method.trains and self.spec.diffusion.regression)

    @property
    def _sampler(self) -> dict[str, Any]:
        """What is read of it: nothing by baselines, which do not sample."""
        if not self._method.trains:
            return {}
        guided = self.spec.cond.name != "none"
        return self.spec.sampler.in_use(regression=self.spec.diffusion.regression, guided=guided)

    @property
    def _sampler_source(self) -> dict[str, str]:
        source = registry.samplers.source_sha(self._sampler["name"]) if "name" in self._sampler else None
        return {} if source is None else {"source": source}

    @property
    def _versions(self) -> dict[str, int]:
        if not self._method.trains:
            return {}
        conds = {f"cond.{name}": registry.conditioners.get(name).version for name in self._conditioners}
        encoder = registry.encoders.get(self.spec.encoder.name).version
        denoiser = registry.denoisers.get(self.spec.denoiser.get("name", "unet")).version
        looks = {"validation": validation.VERSION} if self._watches else {}
        return {
            "training": training.VERSION,
            "encoder": encoder,
            **({"denoiser": denoiser} if denoiser > 1 else {}),
            **conds,
            **looks,
        }

    @property
    def _sources(self) -> Iterator[tuple[str, str | None]]:
        yield "method", registry.methods.source_sha(self.spec.method)
        parts = self.spec.data.options.get("parts", {}) if self.spec.data.name == "mix" else {}
        yield "data", registry.datasets.source_sha(self.spec.data.name)
        for key, part in parts.items():
            yield f"data.{key}", registry.datasets.source_sha(part.get("name", "folder"))
        if self._method.trains:
            yield "encoder", registry.encoders.source_sha(self.spec.encoder.name)
            yield "denoiser", registry.denoisers.source_sha(self.spec.denoiser.get("name", "unet"))
            yield "diffusion.schedule", registry.schedules.source_sha(name_of(self.spec.diffusion.schedule))
            objective = name_of(self.spec.diffusion.parameterisation)
            yield "diffusion.parameterisation", registry.objectives.source_sha(objective)
            for name in self._conditioners:
                yield f"cond.{name}", registry.conditioners.source_sha(name)

    @property
    def _conditioners(self) -> list[str]:
        """The conditioner, and those of a sum."""
        parts = self.spec.cond.options.get("parts", {}) if self.spec.cond.name == "sum" else {}
        return [self.spec.cond.name, *(str(part.get("name", key)) for key, part in parts.items())]

    def _protocol(self, metric: MetricPlugIn, opened: Metric) -> dict[str, Any]:
        spec, cls = self.spec, registry.metrics.get(metric.name)
        built_in = registry.metrics.source_sha(metric.name) is None
        scored: dict[str, Any] = {
            "manifest": self.manifests["eval"],
            "image_size": spec.image_size,
            "eval": {"split": spec.eval.split, "limit": spec.eval.limit},
            "metric": {**metric.as_dict(), "version": cls.version},
        }
        if self._sampled:
            scored["eval"]["seed"] = spec.eval.seed
            if issubclass(cls, FeatureMetric):  # others see the first sampling
                scored["eval"]["seeds"] = spec.eval.seeds
        if self._sampler:
            scored["sampler"] = {**self._sampler, "version": samplers.VERSION, **self._sampler_source}
        if not built_in:
            scored["metric"]["source"] = registry.metrics.source_sha(metric.name)
        looked: list[Any] = []
        opened.locate_faces(lambda: looked.append(self.find_face()))
        if sha := opened.weights_sha():
            scored["metric"]["weights"] = {"sha256": sha}
        asked = metric.options.get("face_box", "auto")
        if looked or (built_in and asked != "auto"):  # it counts as it was found, or given: one box is one protocol
            scored["metric"]["face_box"] = "auto"
            scored["face_box"] = _plain(looked[0] if looked else asked)
        if cls.by_group and (groups := _groups(spec.data.name, spec.data.options)) is not None:
            scored["groups"] = groups
        found: dict[str, Any] = canonical(contents(scored, everywhere=not built_in))
        return found


def protocol_id(scored: Mapping[str, Any]) -> str:
    """12 hex digits over the protocol of a metric; scores of one protocol may be compared."""
    return digest(scored)


def digest(value: Mapping[str, Any]) -> str:
    """12 hex digits over plain values, whatever the order of their keys."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _data_in_use(options: Mapping[str, Any]) -> dict[str, Any]:
    used = {key: value for key, value in options.items() if (key, value) != ("crop", None)}
    if isinstance(used.get("parts"), Mapping):  # of a mixture
        parts = used["parts"].items()
        used["parts"] = {
            name: {k: v for k, v in part.items() if k not in _NOT_IDENTITY["data"]} for name, part in parts
        }
    return used


def _groups(name: str, options: Mapping[str, Any]) -> Any:
    """How a data set, or each part of a mixture, tells groups of people apart; None: it does not."""
    if source := registry.datasets.source_sha(name):  # that of a plug-in may say so, and nothing else does
        return {"source": source, "groups": options.get("groups")}
    groups = options.get("groups")
    if groups is not None:
        return content(groups) if groups.lower().endswith(".csv") else groups
    parts = {key: _groups(part.get("name", "folder"), part) for key, part in options.get("parts", {}).items()}
    return {key: found for key, found in parts.items() if found is not None} or None


def _encoder_in_use(encoder: PlugIn, weights_sha: str | None) -> dict[str, Any]:
    options = dict(encoder.options)
    if weights_sha:
        options["weights"] = weights_sha
    elif options.get("weights") is None:
        options.pop("weights", None)
    return options


def _plain(box: Sequence[float] | None) -> list[float] | None:
    return None if box is None else [float(side) for side in box]
