"""How to train, as one checked record."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import Any

from zoo.errors import ZooError

VERSION = 2  # raise it when the same settings and photos train other weights
_CHOICES = {
    "mixed_precision": ("no", "fp16", "bf16"),
    "schedule": ("cosine", "linear", "constant"),
    "keep": ("last", "best"),
}
_NO_WEIGHT = ("log", "checkpoint_every", "feature_cache_gb")  # options on which no weight depends
_SINCE = ("schedule", "keep", "patience")  # younger than many a run: ids know of them where they are not the default


@dataclass(frozen=True)
class TrainConfig:
    """How to train.

    Args:
        init: a model file, the folder of a run or "bundled", to start from instead of from random weights.
        steps: budget in optimiser steps.
        seconds: or budget in seconds of training (then not reproducible to the bit). Exactly one of the two. What is
            done once for many runs does not count: cached features of a frozen encoder, and pretraining; rows tell
            their seconds beside those of training. An encoder that runs in every step counts.
        batch_size: images per step, over all processes.
        lr: peak learning rate of AdamW.
        schedule: how the rate goes on once it has risen: "cosine" or "linear", down to zero as the budget is spent, or
            "constant". A constant one knows no budget: a training of a larger budget goes on from one of a smaller.
        warmup: share of the budget, steps or seconds, over which the rate rises linearly; not of a constant one,
        warmup_steps: which rises over so many steps, whatever the budget.
        weight_decay: of AdamW.
        grad_clip: largest norm of the gradient.
        ema: decay of the average of the weights.
        p_uncond: share of images whose features are replaced by the learned null.
        p_hints: share of images of which a denoiser with hints is told the true colours of some places.
        flip: mirror half of the images.
        saturation_jitter: s in [0, 1): chroma is scaled by a factor from [1 − s, 1 + s].
        mixed_precision: "no", "fp16" or "bf16" (for GPUs; slower than "no" on most CPUs).
        checkpoint_every: steps between checkpoints.
        val_every: steps between looks at validation photos (`zoo.training.validation`); None: never.
        keep: "last": the averaged weights of the last step; "best": those of the look with the lowest loss.
        patience: end after so many looks in a row without a lower loss than before; None: the budget alone ends it.
        feature_cache_gb: a frozen encoder's features are kept on disk up to this size, else recomputed in each step.
        log: any of "tensorboard" and "wandb".
    """

    init: str | None = None
    steps: int | None = 1000
    seconds: float | None = None
    batch_size: int = 64
    lr: float = 1e-3
    schedule: str = "cosine"
    warmup: float = 0.05
    warmup_steps: int = 100
    weight_decay: float = 0.01
    grad_clip: float = 1.0
    ema: float = 0.999
    p_uncond: float = 0.1
    p_hints: float = 0.5
    flip: bool = True
    saturation_jitter: float = 0.0
    mixed_precision: str = "no"
    checkpoint_every: int = 200
    val_every: int | None = None
    keep: str = "last"
    patience: int | None = None
    feature_cache_gb: float = 8.0
    log: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.steps is None) == (self.seconds is None):
            raise ZooError("steps and seconds: give exactly one of them, and set the other to null")
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ZooError(f"{name} must be one of {', '.join(allowed)}, not {getattr(self, name)!r}")
        for name in self.log:
            if name not in ("tensorboard", "wandb"):
                raise ZooError(f"log knows tensorboard and wandb, not {name!r}")
            if find_spec(name) is None:
                raise ZooError(f"log: {name} is not installed; run pip install {name}, or leave it out")
        for name in ("steps", "seconds", "batch_size", "lr", "grad_clip", "checkpoint_every", "val_every", "patience"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ZooError(f"{name} must be greater than 0, not {value}")
        for name in ("weight_decay", "feature_cache_gb", "warmup_steps"):
            if not getattr(self, name) >= 0:
                raise ZooError(f"{name} must not be negative, but is {getattr(self, name)}")
        if not 0 <= self.warmup < 1:
            raise ZooError(
                f"warmup must lie in [0, 1), not {self.warmup}: it is a share of the budget (0.05: a twentieth), "
                "and no longer a number of steps"
            )
        if not 0 <= self.p_hints <= 1:
            raise ZooError(f"p_hints must lie in [0, 1], not {self.p_hints}")
        for name in ("ema", "p_uncond", "saturation_jitter"):
            if not 0 <= getattr(self, name) < 1:
                raise ZooError(f"{name} must lie in [0, 1), not {getattr(self, name)}")
        if self.watches and self.val_every is None:
            name = "keep=best" if self.keep == "best" else f"patience={self.patience}"
            raise ZooError(f"val_every must be given with {name}, which goes by looks at validation photos")

    @property
    def watches(self) -> bool:
        """Whether looks at validation photos decide which weights come of it."""
        return self.keep == "best" or self.patience is not None

    def in_use(self) -> dict[str, Any]:
        """What the weights depend on, but for the model that it starts from: two that agree in these are one."""
        default = TrainConfig()
        unread = {"init", *_NO_WEIGHT, "warmup" if self.schedule == "constant" else "warmup_steps"}
        unread |= {name for name in _SINCE if getattr(self, name) == getattr(default, name)}
        unread |= set() if self.watches else {"val_every"}
        return {name: value for name, value in asdict(self).items() if name not in unread}

    def course(self) -> dict[str, Any]:
        """What the weights after each step depend on: `in_use`, less a budget that says no more than when it ends."""
        budget = ("steps", "seconds") if self.schedule == "constant" else ()
        return {name: value for name, value in self.in_use().items() if name not in budget}
