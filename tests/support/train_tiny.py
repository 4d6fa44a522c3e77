"""Trains a tiny model in a process of its own, so that a test can kill it: python train_tiny.py FOLDER CACHE STEPS."""

import sys
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.models import tiny_model
from zoo.progress import StepInfo
from zoo.registry import datasets
from zoo.training.config import TrainConfig
from zoo.training.diffusion import open_batches, train


def main(folder: Path, cache: Path, steps: int, pause: float) -> None:
    torch.set_num_threads(1)
    config = TrainConfig(steps=steps, batch_size=4, warmup=0.25, checkpoint_every=3, saturation_jitter=0.2)
    model = tiny_model()
    dataset = datasets.create("synthetic", n_train=10, n_val=2, n_test=4, size=32)
    batches = open_batches(model, dataset, config, seed=0, cache_dir=cache)

    def report(info: StepInfo) -> None:
        print(info.step, flush=True)  # noqa: T201
        time.sleep(pause)

    train(model, batches, config, folder, on_step=report)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
