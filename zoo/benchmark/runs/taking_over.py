"""Where a training starts from another model, or goes on from that of another run, and what is said of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo import registry
from zoo.benchmark.config.plugged import method_of
from zoo.benchmark.runs.folder import Budget, RunFolder
from zoo.benchmark.runs.identity import Identity
from zoo.errors import ZooError, below
from zoo.model import ColorDiffusion
from zoo.training import starting
from zoo.training.config import TrainConfig
from zoo.training.resume import CHECKPOINT


def start_from(model: ColorDiffusion, init: str) -> None:
    """Give ``model`` the weights that ``train.init`` names. Raises `ZooError` naming that option."""
    try:
        starting.start_from(model, init)
    except ZooError as error:
        raise ZooError(below("train", ("init",), str(error))) from error


def check_start(config: Mapping[str, Any]) -> None:
    """Raises `ZooError` where a configuration names another encoder, cond or denoiser than those of the model that it
    starts from: else options that a preset has for that model would be found wrong, of which the user said nothing."""
    nodes = [config.get(name) for name in ("train", "encoder", "cond", "denoiser")]
    if not all(isinstance(node, Mapping) for node in nodes) or not isinstance(config["train"].get("init"), str):
        return
    if registry.methods.get(method_of(config["method"]).name).trains:
        try:
            starting.check_names(config, config["train"]["init"])
        except ZooError as error:
            raise ZooError(below("train", ("init",), str(error))) from error


def take_over(folder: RunFolder, config: TrainConfig, identity: Identity) -> str:
    """Take over the last checkpoint of another run that is the same as far as it goes. Returns a line to show; empty:
    there is nothing to say."""
    if (folder.path / CHECKPOINT).exists():
        return ""
    budget = Budget(config.steps, config.seconds)
    if found := folder.adopt_training(identity.course_id, budget):
        return f"the same training as run {found}: going on from its last checkpoint"
    shorter = None if config.schedule == "constant" else folder.shorter(identity.any_budget_id, budget)
    if shorter is None:
        return ""
    return (
        f"run {shorter} is the same with a smaller budget, over which its learning rate fell to 0, so this one starts "
        "anew (with train.schedule=constant it would go on)"
    )
