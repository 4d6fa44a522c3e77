"""The one trainer, for every encoder × conditioner pair, and for what is pretrained before it."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import DistributedDataParallelKwargs
from torch import Tensor, nn

from zoo.devices import knows_bf16
from zoo.errors import ZooError
from zoo.files import remove_parts
from zoo.progress import OnStep, StepInfo
from zoo.tensor_file import MODEL
from zoo.training import resume
from zoo.training.config import VERSION, TrainConfig
from zoo.training.ema import EMA
from zoo.training.log import Log, open_logs, tiled
from zoo.training.losses import Losses
from zoo.training.resume import CHECKPOINT
from zoo.training.schedule import learning_rate_factor
from zoo.training.watch import OnValidate, Watch


@dataclass(frozen=True)
class TrainResult:
    steps: int
    images_seen: int
    seconds: float  # of training, over all sittings; data preparation not included
    kept: int | None = None  # the step whose averaged weights the model has: the last one, or the best


class Trainable(Protocol):
    """What the trainer asks of a module beside ``forward(**inputs)``, which gives its loss, a scalar."""

    def identity(self) -> dict[str, Any]:
        """All that tells it from another untrained model, as plain values for JSON; no paths."""

    def stored_state(self) -> dict[str, Tensor]:
        """The tensors that a checkpoint holds."""


class BatchSource(Protocol):
    """Batches that are pure functions of (seed, step), so that a resumed run sees what it would have."""

    seed: int

    def at(self, step: int, rank: int = 0, world: int = 1) -> Any:
        """The batch of ``step`` (from 0), or this rank's equal share. Called in a thread, while a step trains."""


class Trainer:
    """A training, not started yet; `run` it once.

    Args:
        model: a module that is `Trainable`.
        batches: what it eats,
        inputs: made into the arguments of its ``forward``, on a device.
        config: how to train.
        folder: of checkpoints, and of the finished model.
        save: writes the model to a file, atomically.
        device: "cpu", "cuda", "cuda:1", "mps".
        on_step: hears of each step on the CPU, and of every so many where listening would make the device wait.
        on_validate: called with the number of steps done, every so many and at the end, while the model has its
            averaged weights. Its time is not part of the budget. What it returns is logged.
        unused_parameters: some take no part in the loss, which several processes have to know.
    """

    def __init__(
        self,
        model: Trainable,
        batches: BatchSource,
        inputs: Callable[[Any, torch.device], dict[str, Any]],
        config: TrainConfig,
        folder: Path,
        save: Callable[[Path], None],
        *,
        device: str = "cpu",
        on_step: OnStep | None = None,
        on_validate: OnValidate | None = None,
        unused_parameters: bool = False,
    ) -> None:
        self.trained, self.plain = model, cast(nn.Module, model)
        self.batches, self.inputs, self.save = batches, inputs, save
        self.config, self.folder, self.on_step, self.on_validate = config, Path(folder), on_step, on_validate
        self.accelerator = _accelerator(config, device, unused_parameters)
        self.world, self.rank = self.accelerator.num_processes, self.accelerator.process_index
        if config.watches and on_validate is None and self.accelerator.is_main_process:
            raise ZooError("keep=best and patience go by looks at validation photos, and there is nobody who looks")
        if config.batch_size % self.world:
            raise ZooError(f"batch_size={config.batch_size} cannot be shared by {self.world} processes")
        self.plain.train()
        parameters = [p for p in self.plain.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(parameters, lr=config.lr, weight_decay=config.weight_decay, betas=(0.9, 0.99))
        self.model, self.optimizer = self.accelerator.prepare(self.plain, optimizer)
        self.ema = EMA(self.plain, config.ema)
        self.losses, self.watch = Losses(self.accelerator), Watch(config)
        self.logs: list[Log] = []  # while it runs, in the process that writes them
        self.step, self.elapsed = 0, 0.0
        self._kept = -1  # the step of the checkpoint on disk

    def run(self) -> TrainResult:
        """Train until the budget is spent, or patience with what validation says."""
        self._take_up()
        every = self.config.val_every if self.on_validate or self.config.watches else None
        logs = open_logs(self.config.log if self.accelerator.is_main_process else (), self.folder)
        with logs as self.logs, ThreadPoolExecutor(1) as ahead:  # reads the next batch while this one trains
            before, started = self.elapsed, time.perf_counter()
            upcoming = ahead.submit(self.batches.at, self.step, self.rank, self.world)
            while (share := self._share()) < 1 and not self.watch.ended:
                batch = upcoming.result()
                upcoming = ahead.submit(self.batches.at, self.step + 1, self.rank, self.world)
                self.losses.add(*self.optimise(batch, share))
                self.step += 1
                self.elapsed = before + time.perf_counter() - started
                due = self.step % self.config.checkpoint_every == 0
                if due or self.losses.waiting >= self.losses.look_every:
                    self._look()
                if every and self.step % every == 0:
                    started += self._validate()
                if due:  # with what was found just now
                    self._keep()
            self._look()
            self._keep()
            if every and self.step % every:  # after the checkpoint: a larger budget would not have looked here
                self._validate()
        return self._end()

    def _end(self) -> TrainResult:
        """The model has the averaged weights that are kept, and lies on disk."""
        self.accelerator.end_training()
        self.ema.copy_to_model(self.watch.average)
        self.plain.eval()
        if self.accelerator.is_main_process:
            self.save(self.folder / MODEL)
        kept = self.watch.step if self.watch.average and self.watch.step is not None else self.step
        return TrainResult(self.step, self.step * self.config.batch_size, self.elapsed, kept)

    def optimise(self, batch: Any, share: float) -> tuple[Tensor, Tensor]:
        """One step; returns the loss and the length of its gradient before it was cut, on the device: reading them here
        would make every step wait for the last."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.lr * self._rate(share)
        with self.accelerator.autocast():
            loss = self.model(**self.inputs(batch, self.accelerator.device))
        self.accelerator.backward(loss)
        norm = self.accelerator.clip_grad_norm_(self.model.parameters(), self.config.grad_clip)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.ema.update()
        return loss.detach(), norm

    def _rate(self, share: float) -> float:
        """As a factor of its peak."""
        if self.config.schedule == "constant":
            return learning_rate_factor(share, self.step + 1, self.config.warmup_steps, "constant")
        return learning_rate_factor(share, self._after(share), self.config.warmup, self.config.schedule)

    def _validate(self) -> float:
        """Returns the seconds that it took."""
        begun = time.perf_counter()
        loss = 0.0
        if self.on_validate and self.accelerator.is_main_process:
            with self.ema.in_use():
                found = self.on_validate(self.step)
            loss = found.loss
            for log in self.logs:
                log.scalars({f"val_{name}": value for name, value in {"loss": loss, **found.scores}.items()}, self.step)
                if found.sample_grid is not None:
                    log.picture("val", tiled(found.sample_grid), self.step)
        if self.config.watches:  # one process looks, and all go by it
            self.watch.heed(self.step, self.losses.sum(loss), self.ema.average)
        return time.perf_counter() - begun

    def _state(self) -> dict[str, Any]:
        what = [VERSION, self.trained.identity(), self.config.course(), self.batches.seed]
        scaler = self.accelerator.scaler
        return {
            "identity": json.dumps(what, sort_keys=True),
            "step": self.step,
            "elapsed": self.elapsed,
            "model": self.trained.stored_state(),
            "ema": self.ema.average,
            "ema_updates": self.ema.updates,
            "optimizer": self.optimizer.state_dict(),
            "scaler": scaler.state_dict() if scaler else {},
            **({"watch": self.watch.state()} if self.config.watches else {}),
        }

    def _keep(self) -> None:
        """Unless the checkpoint is of this step already: it may be a link to that of another run."""
        if self.step != self._kept and self.accelerator.is_main_process:
            resume.write(self.folder / CHECKPOINT, self._state())
        self._kept = self.step

    def _take_up(self) -> None:
        """Go on from the checkpoint, if there is one."""
        if self.accelerator.is_main_process:
            remove_parts(self.folder)
        if not (self.folder / CHECKPOINT).exists():
            return
        state = resume.read(self.folder / CHECKPOINT, self._state(), self.accelerator.device)
        if self.config.steps is not None and state["step"] > self.config.steps:
            raise ZooError(
                f"{self.folder / CHECKPOINT} is of step {state['step']}, and the budget is {self.config.steps} steps; "
                "use another folder or delete it"
            )
        self.plain.load_state_dict(state["model"], strict=False)  # frozen pretrained weights are not in it
        self.optimizer.load_state_dict(state["optimizer"])
        if self.accelerator.scaler and state["scaler"]:
            self.accelerator.scaler.load_state_dict(state["scaler"])
        self.ema.load(state["ema"], state["ema_updates"])
        if self.config.watches:
            self.watch.load(state["watch"])
        self.step, self.elapsed = state["step"], state["elapsed"]
        self._kept = self.step

    def _share(self) -> float:
        """How much of the budget is spent; the same on every process."""
        if self.config.steps is not None:
            return self.step / self.config.steps
        assert self.config.seconds is not None
        return float(self.losses.mean(torch.tensor(self.elapsed / self.config.seconds)))

    def _after(self, share: float) -> float:
        """What `_share` will be once this step is done; of a budget in seconds at the pace so far."""
        if self.config.steps is not None:
            return (self.step + 1) / self.config.steps
        return share * (self.step + 1) / self.step if self.step else 0.0

    def _look(self) -> None:
        """Wait for the device, see whether the losses are finite, and tell of them."""
        if not self.losses.waiting:
            return
        seen = self.losses.look(self.step, self.folder / CHECKPOINT)
        speed, lr = self.config.batch_size * seen.per_second, self.optimizer.param_groups[0]["lr"]
        for log in self.logs:
            told = {"loss": seen.loss, "grad_norm": seen.grad_norm, "lr": lr, "images_per_second": speed}
            log.scalars(told, self.step)
        if self.on_step and self.accelerator.is_main_process:
            self.on_step(StepInfo(self.step, seen.loss, speed, min(self._share(), 1.0)))


def _accelerator(config: TrainConfig, device: str, unused_parameters: bool) -> Accelerator:
    if device == "cpu" and config.mixed_precision == "bf16" and not knows_bf16():
        warnings.warn(
            "mixed_precision=bf16 is about ten times slower than no on this processor, which has no AVX-512 bf16",
            stacklevel=4,
        )
    if device.startswith("cuda:"):
        torch.cuda.set_device(device)  # accelerate takes the current one
    AcceleratorState._reset_state(reset_partial_state=True)  # or one process could not train twice, differently
    return Accelerator(
        cpu=device == "cpu",
        mixed_precision=config.mixed_precision,
        kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=unused_parameters)],
    )
