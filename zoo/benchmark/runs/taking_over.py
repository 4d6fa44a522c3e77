"""Where a training starts from another model, or goes on from that of another run, and what is said of it."""

from __future__ import annotations

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
