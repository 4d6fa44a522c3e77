"""Colouring faces with diffusion models: swappable greyscale encoders, swappable conditioning, one trainer.

Importing this is cheap: each name loads its module on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from zoo.registry import (
    conditioners,
    datasets,
    denoisers,
    encoders,
    methods,
    metrics,
    objectives,
    samplers,
    schedules,
)

if TYPE_CHECKING:
    from zoo.conditioners import Conditioner
    from zoo.data import Dataset
    from zoo.denoisers import Denoiser
    from zoo.encoders import Encoder
    from zoo.features import FeatureLevel, Features, FeatureSpec
    from zoo.methods import Method
    from zoo.metrics import Metric, Score
    from zoo.model import ColorDiffusion
    from zoo.objectives import Objective
    from zoo.photos.colorizer import Colorizer
    from zoo.schedules import Schedule

__version__ = "0.2.0"

register_encoder, create_encoder, list_encoders = encoders.register, encoders.create, encoders.list
register_conditioner, create_conditioner = conditioners.register, conditioners.create
list_conditioners = conditioners.list
register_dataset, create_dataset, list_datasets = datasets.register, datasets.create, datasets.list
register_denoiser, create_denoiser, list_denoisers = denoisers.register, denoisers.create, denoisers.list
register_sampler, create_sampler, list_samplers = samplers.register, samplers.create, samplers.list
register_schedule, create_schedule, list_schedules = schedules.register, schedules.create, schedules.list
register_objective, create_objective, list_objectives = objectives.register, objectives.create, objectives.list
register_metric, create_metric, list_metrics = metrics.register, metrics.create, metrics.list
register_method, create_method, list_methods = methods.register, methods.create, methods.list

_LAZY = {
    "ColorDiffusion": "zoo.model",
    "Colorizer": "zoo.photos.colorizer",
    "Conditioner": "zoo.conditioners",
    "Dataset": "zoo.data",
    "Denoiser": "zoo.denoisers",
    "Encoder": "zoo.encoders",
    "FeatureLevel": "zoo.features",
    "FeatureSpec": "zoo.features",
    "Features": "zoo.features",
    "Method": "zoo.methods",
    "Metric": "zoo.metrics",
    "Objective": "zoo.objectives",
    "Schedule": "zoo.schedules",
    "Score": "zoo.metrics",
}

__all__ = [
    "ColorDiffusion",
    "Colorizer",
    "Conditioner",
    "Dataset",
    "Denoiser",
    "Encoder",
    "FeatureLevel",
    "FeatureSpec",
    "Features",
    "Method",
    "Metric",
    "Objective",
    "Schedule",
    "Score",
    "create_conditioner",
    "create_dataset",
    "create_denoiser",
    "create_encoder",
    "create_method",
    "create_metric",
    "create_objective",
    "create_sampler",
    "create_schedule",
    "list_conditioners",
    "list_datasets",
    "list_denoisers",
    "list_encoders",
    "list_methods",
    "list_metrics",
    "list_objectives",
    "list_samplers",
    "list_schedules",
    "register_conditioner",
    "register_dataset",
    "register_denoiser",
    "register_encoder",
    "register_method",
    "register_metric",
    "register_objective",
    "register_sampler",
    "register_schedule",
]


def __getattr__(name: str) -> Any:
    if name == "results":
        return import_module("zoo.results")
    if name not in _LAZY:
        raise AttributeError(f"module 'zoo' has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY, "results"})
