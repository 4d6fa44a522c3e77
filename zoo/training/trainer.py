"""The one trainer, for every encoder × conditioner pair, and for what is pretrained before it."""

from __future__ import annotations

import json
import math
import pickle
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import DistributedDataParallelKwargs
from torch import Tensor

from zoo.color.lab import uint8_to_lab, uint8_to_lightness
from zoo.errors import ZooError
from zoo.features import Features
from zoo.files import replacing
from zoo.model import ColorDiffusion
from zoo.training.batches import Batch, Batches
from zoo.training.config import TrainConfig
from zoo.training.ema import EMA
from zoo.training.trainable import BatchSource, Trainable

CHECKPOINT = "checkpoint.pt"
MODEL = "model.safetensors"


@dataclass(frozen=True)
class TrainResult:
    steps: int
    images_seen: int
    seconds: float  # of training, over all sittings; data preparation not included


@dataclass(frozen=True)
class StepInfo:
    """What a progress bar wants to know after each step."""

    step: int
    loss: float
    images_per_second: float
    share: float  # of the budget, in [0, 1]


OnStep = Callable[[StepInfo], None]
Inputs = Callable[[Any, torch.device | str], dict[str, Any]]  # a batch → arguments of the model's forward, on a device


def train(
    model: ColorDiffusion,
    batches: Batches,
    config: TrainConfig,
    folder: Path,
    *,
    device: str = "cpu",
    on_step: OnStep | None = None,
) -> TrainResult:
    """Train ``model`` in place, or go on from the checkpoint in ``folder``; afterwards it holds the averaged weights.

    Writes `CHECKPOINT` as it goes and `MODEL` at the end, each atomically. On the CPU a run that was killed and
    resumed ends with the same bits as one that was not.

    Raises:
        ZooError: the loss was not finite (the last good checkpoint stays), or the checkpoint is of another model.
    """
    model.set_chroma_statistics(batches.chroma_sample())
    unused = not model.conditioner.uses_encoder
    return fit(model, batches, inputs, config, folder, device=device, on_step=on_step, unused_parameters=unused)


def fit(
    model: Trainable,
    batches: BatchSource,
    inputs: Inputs,
    config: TrainConfig,
    folder: Path,
    *,
    device: str = "cpu",
    on_step: OnStep | None = None,
    unused_parameters: bool = False,
) -> TrainResult:
    """`train`, for any model.

    Args:
        unused_parameters: some take no part in the loss, which several processes have to know.
    """
    return _Trainer(model, batches, inputs, config, folder, device, on_step, unused_parameters).run()


class _Trainer:
    def __init__(
        self,
        model: Trainable,
        batches: BatchSource,
        inputs: Inputs,
        config: TrainConfig,
        folder: Path,
        device: str,
        on_step: OnStep | None,
        unused_parameters: bool,
    ) -> None:
        self.plain, self.batches, self.inputs = model, batches, inputs
        self.config, self.folder, self.on_step = config, folder, on_step
        if device.startswith("cuda:"):
            torch.cuda.set_device(device)  # accelerate takes the current one
        AcceleratorState._reset_state(reset_partial_state=True)  # or one process could not train twice, differently
        self.accelerator = Accelerator(
            cpu=device == "cpu",
            mixed_precision=config.mixed_precision,
            log_with=list(config.log) or None,
            project_dir=folder,
            kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=unused_parameters)],
        )
        self.world, self.rank = self.accelerator.num_processes, self.accelerator.process_index
        if config.batch_size % self.world:
            raise ZooError(f"train.batch_size={config.batch_size} cannot be shared by {self.world} processes")
        model.train()
        trainable = [p for p in model.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(trainable, lr=config.lr, weight_decay=config.weight_decay, betas=(0.9, 0.99))
        self.model, self.optimizer = self.accelerator.prepare(model, optimizer)
        self.ema = EMA(model, config.ema)
        self.step, self.elapsed = 0, 0.0

    def run(self) -> TrainResult:
        if (self.folder / CHECKPOINT).exists():
            self._restore()
        if self.config.log:
            self.accelerator.init_trackers("train")
        before, started = self.elapsed, time.perf_counter()
        with ThreadPoolExecutor(1) as ahead:  # reads the next batch while this one trains
            upcoming = ahead.submit(self.batches.at, self.step, self.rank, self.world)
            while (share := self._share()) < 1:
                batch = upcoming.result()
                upcoming = ahead.submit(self.batches.at, self.step + 1, self.rank, self.world)
                began = time.perf_counter()
                loss = self._optimise(batch, share)
                self.step += 1
                self.elapsed = before + time.perf_counter() - started
                self._report(loss, time.perf_counter() - began)
                if self.step % self.config.checkpoint_every == 0:
                    self._save()
        self._save()
        self.accelerator.end_training()
        self.ema.copy_to_model()
        self.plain.eval()
        if self.accelerator.is_main_process:
            self.plain.save(self.folder / MODEL)
        return TrainResult(self.step, self.step * self.config.batch_size, self.elapsed)

    def _share(self) -> float:
        """How much of the budget is spent; the same on every process."""
        if self.config.steps is not None:
            return self.step / self.config.steps
        assert self.config.seconds is not None
        return self._mean(torch.tensor(self.elapsed / self.config.seconds))

    def _optimise(self, batch: Any, share: float) -> float:
        """One step; returns the loss."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.lr * learning_rate_factor(self.step, self.config.warmup, share)
        with self.accelerator.autocast():
            loss = self.model(**self.inputs(batch, self.accelerator.device))
        value = self._mean(loss.detach())
        if not math.isfinite(value):
            raise ZooError(
                f"the loss is {value} at step {self.step}; try a lower train.lr or train.mixed_precision=no "
                f"(the last good checkpoint is kept in {self.folder})"
            )
        self.accelerator.backward(loss)
        self.accelerator.clip_grad_norm_(self.model.parameters(), self.config.grad_clip)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.ema.update()
        return value

    def _report(self, loss: float, seconds: float) -> None:
        speed = self.config.batch_size / seconds
        if self.config.log:
            self.accelerator.log({"loss": loss, "images_per_second": speed}, step=self.step)
        if self.on_step and self.accelerator.is_main_process:
            self.on_step(StepInfo(self.step, loss, speed, min(self._share(), 1.0)))

    def _mean(self, value: Tensor) -> float:
        """Over all processes."""
        if self.world > 1:
            value = self.accelerator.reduce(value.to(self.accelerator.device), "mean")
        return float(value)

    def _identity(self) -> str:
        """All that the result depends on, but no path."""
        free = ("log", "checkpoint_every", "feature_cache_gb")  # may differ when a run goes on
        config = {k: v for k, v in asdict(self.config).items() if k not in free}
        return json.dumps([self.plain.identity(), config, self.batches.seed], sort_keys=True)

    def _save(self) -> None:
        if not self.accelerator.is_main_process:
            return
        scaler = self.accelerator.scaler
        state = {
            "identity": self._identity(),
            "step": self.step,
            "elapsed": self.elapsed,
            "model": self.plain.stored_state(),
            "ema": self.ema.average,
            "ema_updates": self.ema.updates,
            "optimizer": self.optimizer.state_dict(),
            "scaler": scaler.state_dict() if scaler else {},
        }
        with replacing(self.folder / CHECKPOINT) as temporary:
            torch.save(state, temporary)

    def _restore(self) -> None:
        path = self.folder / CHECKPOINT
        try:
            state = torch.load(path, map_location=self.accelerator.device, weights_only=True)
        except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
            raise ZooError(f"{path} is not a readable checkpoint; delete it to train from the start") from error
        if state["identity"] != self._identity():
            raise ZooError(f"{path} belongs to a run with other settings; use another folder or delete it")
        self.plain.load_state_dict(state["model"], strict=False)  # frozen pretrained weights are not in it
        self.optimizer.load_state_dict(state["optimizer"])
        if self.accelerator.scaler and state["scaler"]:
            self.accelerator.scaler.load_state_dict(state["scaler"])
        self.ema.load(state["ema"], state["ema_updates"])
        self.step, self.elapsed = state["step"], state["elapsed"]


def learning_rate_factor(step: int, warmup: int, share: float) -> float:
    """Linear warm-up over ``warmup`` steps, then a cosine down to 0 as ``share`` of the budget goes to 1."""
    return min(1.0, (step + 1) / max(warmup, 1)) * 0.5 * (1 + math.cos(math.pi * share))


def inputs(batch: Batch, device: torch.device | str) -> dict[str, Any]:
    """A batch as the arguments of `ColorDiffusion.forward`, on ``device``."""
    batch = Batch(*(_to(x, device) for x in batch))
    L, ab = uint8_to_lab(batch.images)
    return {
        "L": L,
        "ab": ab * batch.saturation[:, None, None, None],
        "t": batch.t,
        "noise": batch.noise,
        "dropped": batch.dropped,
        "features": batch.features,
        "view": L if batch.views is None else uint8_to_lightness(batch.views),
        "box": batch.boxes,
    }


def _to(x: Tensor | Features | None, device: torch.device | str) -> Any:
    if isinstance(x, Features):
        return Features(tuple(_to(m, device) for m in x.maps), _to(x.tokens, device))
    return x if x is None else x.to(device, non_blocking=True)
