"""What is plugged into a run, on two of its images, before it trains: a failure costs nothing then."""

from __future__ import annotations

import numpy as np

from zoo import registry
from zoo.benchmark.config.spec import Spec
from zoo.cache.images import ImageCache
from zoo.color.lab import rgb_to_lab
from zoo.data import Dataset
from zoo.evaluation import trial as metric_trial
from zoo.evaluation.real_features import as_rgb
from zoo.model import ColorDiffusion
from zoo.training import trial as model_trial


def try_out(spec: Spec, model: ColorDiffusion | None, dataset: Dataset, images: ImageCache, device: str) -> None:
    """Run encoder, conditioner, and those of the metrics that are not built in.

    Raises:
        ZooError: what a plug-in gives is not what it declared. Whatever it raises comes out as it is.
    """
    truth = as_rgb(images.batch(np.array([0, len(images) - 1])), "cpu")
    if model is not None:
        model_trial.try_out(model, rgb_to_lab(truth)[0])
    foreign = registry.metrics.foreign().values()
    for metric in spec.open_metrics().values():
        if type(metric) in foreign:
            metric.locate_faces(lambda: dataset.face_box)
            metric_trial.try_out(metric, truth.to(device), device)
