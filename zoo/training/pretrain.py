"""Pretrains the greyscale autoencoder, once for each recipe and set of images: the result is kept and found again."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
from filelock import FileLock, Timeout
from torch import Tensor

from zoo.cache.record_file import make_folder
from zoo.color.lab import uint8_to_lightness
from zoo.encoders import Images
from zoo.encoders.unet_ae import Objective, Recipe
from zoo.errors import ZooError
from zoo.files import write_json
from zoo.progress import OnStep
from zoo.seeds import seed_of
from zoo.tensor_file import MODEL
from zoo.training.autoencoder import Autoencoder
from zoo.training.batches import mirrored
from zoo.training.config import TrainConfig
from zoo.training.order import Shuffled
from zoo.training.resume import CHECKPOINT
from zoo.training.trainer import Trainer

VERSION = 2  # raise it when the same recipe and images would give other weights
COST = "cost.json"  # beside the file: the seconds that its training took, over all sittings
_WARMUP = 0.05  # of the steps
_CHECKPOINT_EVERY = 100
_LAUNCHER = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE")


def untrained(recipe: Recipe, images: Images) -> Autoencoder:
    """The model before its first step, with a record of what it is to learn from."""
    how = {"steps": recipe.steps, "batch_size": recipe.batch_size, "lr": recipe.lr}
    record = {"images": len(images), "image_size": images.size, "manifest": images.manifest, **how}
    return Autoencoder(recipe.encoder, recipe.objective, seed=recipe.seed, record=record)


class Batch(NamedTuple):
    """One batch, on the CPU."""

    images: Tensor  # (N, S, S, C) uint8
    corruption: Tensor | None  # (N, 1, S, S); see `Objective.draw`


class LightnessBatches(Shuffled):
    """Images in the order, and with the mirroring, that training has; and what corrupts their lightness."""

    def __init__(self, images: Images, objective: Objective, batch_size: int, seed: int) -> None:
        super().__init__(images, batch_size, seed)
        self.objective = objective

    def at(self, step: int, rank: int = 0, world: int = 1) -> Batch:
        """The batch of ``step`` (from 0), or this rank's equal share of it: the shares of all ranks are the batch."""
        n = self.batch_size
        share = slice(rank * n // world, (rank + 1) * n // world)
        rng = torch.Generator().manual_seed(seed_of("pretraining", self.seed, step))
        flipped = (torch.rand(n, generator=rng) < 0.5).numpy()[share]
        corruption = self.objective.draw(n, self.images.size, rng)
        images = mirrored(self.images.batch(self._indices(step)[share]), flipped)
        return Batch(images, None if corruption is None else corruption[share])


def inputs(batch: Batch, device: torch.device) -> dict[str, Any]:
    """A batch as the arguments of `Autoencoder.forward`, on ``device``."""
    images, corruption = (None if x is None else x.to(device, non_blocking=True) for x in batch)
    assert images is not None
    return {"L": uint8_to_lightness(images), "corruption": corruption}


def pretrain(
    recipe: Recipe, images: Images, cache_dir: Path, *, device: str = "cpu", on_step: OnStep | None = None
) -> Path:
    """The file of the pretrained autoencoder, from ``cache_dir``; trained into it first if it is not there.

    Training that was stopped goes on where it was. Where several processes ask for the same file, one trains, alone
    even under ``accelerate launch``, and the others wait for it.

    Raises:
        ZooError: the images are too small for the objective, or the loss was not finite.
    """
    recipe.objective.check(images.size)
    folder = Path(cache_dir) / "pretrained" / _name(recipe, images)
    file = folder / MODEL
    if file.is_file():
        return file
    make_folder(folder)
    with _claimed(folder), _outside_any_launcher():
        if not file.is_file():
            batches = LightnessBatches(images, recipe.objective, recipe.batch_size, recipe.seed)
            config = TrainConfig(
                steps=recipe.steps,
                batch_size=recipe.batch_size,
                lr=recipe.lr,
                warmup=_WARMUP,
                checkpoint_every=_CHECKPOINT_EVERY,
            )
            model = untrained(recipe, images)
            try:
                trainer = Trainer(model, batches, inputs, config, folder, model.save, device=device, on_step=on_step)
                write_json(folder / COST, {"seconds": round(trainer.run().seconds, 3)})
            except ZooError as error:
                raise ZooError(f"pretraining the encoder: {error}") from error
            (folder / CHECKPOINT).unlink()
    return file


def seconds_of(file: Path) -> float | None:
    """How long it took to pretrain what `pretrain` gave; None: that was not written down."""
    cost = file.with_name(COST)
    return float(json.loads(cost.read_text(encoding="utf-8"))["seconds"]) if cost.is_file() else None


def _name(recipe: Recipe, images: Images) -> str:
    asked = [VERSION, recipe.as_dict(), images.manifest, images.size]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:24]


@contextmanager
def _claimed(folder: Path) -> Iterator[None]:
    """Be the only process at work in ``folder``, after waiting for the one that is."""
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        warnings.warn(f"another process pretrains this encoder, in {folder}; waiting for it", stacklevel=3)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _outside_any_launcher() -> Iterator[None]:
    """Let the trainer see one process, also where a launcher started several: the others are not training."""
    hidden = {name: os.environ.pop(name) for name in _LAUNCHER if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(hidden)
