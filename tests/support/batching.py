"""A training of few steps, and its batches."""

from __future__ import annotations

from pathlib import Path

from zoo.data import Dataset
from zoo.model import ColorDiffusion
from zoo.training.batches import Batches
from zoo.training.config import TrainConfig
from zoo.training.diffusion import open_batches

TINY = TrainConfig(steps=4, batch_size=4, warmup=0.25, checkpoint_every=2)


def batches_for(model: ColorDiffusion, dataset: Dataset, cache: Path, config: TrainConfig = TINY) -> Batches:
    return open_batches(model, dataset, config, seed=0, cache_dir=cache)
