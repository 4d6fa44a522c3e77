"""Trains a tiny model in processes of its own, so that a test can kill it, or launch several.

python train_tiny.py FOLDER CACHE STEPS PAUSE [LOSS…]: with losses, of looks every two steps, it keeps the best weights
and has a patience of two, and each process leaves the step at which it ended and that of the weights which it kept.
"""

import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.models import tiny_model
from zoo.progress import StepInfo
from zoo.registry import datasets
from zoo.training.config import TrainConfig
from zoo.training.diffusion import open_batches, train
from zoo.training.watch import Validated

RANK = os.environ.get("RANK", "0")


def main(folder: Path, cache: Path, steps: int, pause: float, losses: list[float]) -> None:
    torch.set_num_threads(1)
    config = TrainConfig(steps=steps, batch_size=4, warmup=0.25, checkpoint_every=3, saturation_jitter=0.2)
    if losses:
        config = replace(config, val_every=2, keep="best", patience=2, ema=0.5)
    model = tiny_model()
    dataset = datasets.create("synthetic", n_train=10, n_val=2, n_test=4, size=32)
    batches = open_batches(model, dataset, config, seed=0, cache_dir=cache)

    def report(info: StepInfo) -> None:
        print(info.step, flush=True)  # noqa: T201
        time.sleep(pause)

    def look(step: int) -> Validated:
        assert RANK == "0", "the first process alone looks"
        return Validated(losses[step // 2 - 1])

    result = train(model, batches, config, folder, on_step=report, on_validate=look if losses else None)
    if losses:
        (folder / f"ended-{RANK}.txt").write_text(f"{result.steps} {result.kept}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), [*map(float, sys.argv[5:])])
