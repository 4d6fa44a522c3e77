"""A metric on two images, before anything trains: one that fails is told of while that costs nothing."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.errors import PlugInError, ZooError
from zoo.metrics import Metric, Score
from zoo.registry import metrics


def try_out(metric: Metric, truth: Tensor, device: str) -> None:
    """Show ``metric`` two images and a colouring of them; one whose weights are not here is left alone.

    Args:
        truth: (2, 3, H, W) sRGB in [0, 1] on ``device``.

    Raises:
        PlugInError: its scores are not those that it names. Whatever it raises itself comes out as it is.
    """
    try:
        metric.load(device)
    except ZooError:
        return  # its scores will be missing, with this reason
    pred = torch.lerp(truth, truth[:, [2, 0, 1]], 0.5)
    with torch.random.fork_rng(devices=[]):
        if metric.samples == 1:
            metric.update(pred, truth)
        else:
            metric.update_samples(torch.stack([pred] * metric.samples), truth)
        demand_named(metric, metric.compute())


def demand_named(metric: Metric, scores: object) -> None:
    """Raises `PlugInError` unless there is one of ``scores`` for each name of ``metric``."""
    named = sorted(metric.names())
    listed = isinstance(scores, list) and all(isinstance(score, Score) for score in scores)
    given = sorted(score.name for score in scores) if listed else scores  # type: ignore[attr-defined]
    if given != named:
        what = metrics.described(type(metric))
        raise PlugInError(f"{what}: names() has {', '.join(named)}; compute() must give their scores, and gave {given}")
