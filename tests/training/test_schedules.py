"""How the learning rate goes on, and which trainings go on from a smaller budget."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from support.models import tiny_model
from zoo.data import Dataset
from zoo.errors import ZooError
from zoo.model import ColorDiffusion
from zoo.progress import StepInfo
from zoo.training.config import TrainConfig
from zoo.training.diffusion import open_batches, train
from zoo.training.schedule import learning_rate_factor
from zoo.training.trainer import Trainer, TrainResult
from zoo.training.watch import Validated

CONSTANT: dict[str, Any] = {"schedule": "constant", "warmup_steps": 3}


def test_a_linear_rate_rises_and_falls_along_straight_lines() -> None:
    factors = [learning_rate_factor(step / 10, (step + 1) / 10, 0.2, "linear") for step in range(11)]
    assert factors == pytest.approx([0.5, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0])


def trained(
    dataset: Dataset, folder: Path, losses: dict[int, float] | None = None, **options: Any
) -> tuple[ColorDiffusion, list[int], TrainResult]:
    """The model, the steps that were taken, and what came of it."""
    usual = {"batch_size": 2, "lr": 1e-2, "ema": 0.9, "checkpoint_every": 3}
    config, model = TrainConfig(**{**usual, **options}), tiny_model("none", "none")
    steps: list[int] = []
    batches = open_batches(model, dataset, config, seed=0, cache_dir=folder.parent / "cache")

    def on_step(info: StepInfo) -> None:
        steps.append(info.step)

    looks = None if losses is None else lambda step: Validated(losses[step])
    return model, steps, train(model, batches, config, folder, on_step=on_step, on_validate=looks)


@pytest.mark.parametrize(
    ("budget", "expected"),
    [
        ({"steps": 5}, [1 / 3, 2 / 3, 1, 1, 1]),
        ({"steps": 2}, [1 / 3, 2 / 3]),
        ({"steps": 2, "warmup_steps": 0}, [1, 1]),
    ],
)
def test_a_constant_rate_rises_over_its_own_steps_whatever_the_budget(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, budget: dict[str, Any], expected: list[float]
) -> None:
    rates: list[float] = []
    optimise = Trainer.optimise

    def watched(self: Trainer, batch: object, share: float) -> Any:
        found = optimise(self, batch, share)
        rates.append(self.optimizer.param_groups[0]["lr"])
        return found

    monkeypatch.setattr(Trainer, "optimise", watched)
    trained(dataset, tmp_path / "run", lr=1.0, **{**CONSTANT, **budget})
    assert rates == pytest.approx(expected)


def test_a_larger_budget_of_a_constant_rate_goes_on_and_ends_with_the_bits_of_one_training(
    dataset: Dataset, tmp_path: Path
) -> None:
    whole, _, _ = trained(dataset, tmp_path / "whole", steps=7, **CONSTANT)
    trained(dataset, tmp_path / "parts", steps=4, **CONSTANT)
    model, steps, result = trained(dataset, tmp_path / "parts", steps=7, **CONSTANT)
    assert steps == [5, 6, 7]
    assert (result.steps, result.images_seen) == (7, 14)
    for name, weight in whole.state_dict().items():
        assert torch.equal(weight, model.state_dict()[name]), name


def test_the_look_at_the_end_of_a_smaller_budget_is_none_of_a_larger_one(dataset: Dataset, tmp_path: Path) -> None:
    losses = {3: 0.5, 4: 0.1, 6: 0.4, 7: 0.45}
    options = {**CONSTANT, "keep": "best", "val_every": 3, "patience": 1}
    whole, _, expected = trained(dataset, tmp_path / "whole", losses, steps=7, **options)
    _, _, first = trained(dataset, tmp_path / "parts", losses, steps=4, **options)
    model, steps, result = trained(dataset, tmp_path / "parts", losses, steps=7, **options)
    assert (first.kept, result.kept, expected.kept) == (4, 6, 6)
    assert steps == [5, 6, 7]
    for name, weight in whole.state_dict().items():
        assert torch.equal(weight, model.state_dict()[name]), name


def test_a_budget_that_is_behind_the_checkpoint_is_refused(dataset: Dataset, tmp_path: Path) -> None:
    trained(dataset, tmp_path / "run", steps=4, **CONSTANT)
    with pytest.raises(ZooError, match=r"is of step 4, and the budget is 3 steps; use another folder or delete it"):
        trained(dataset, tmp_path / "run", steps=3, **CONSTANT)


@pytest.mark.parametrize(
    ("changes", "why"),
    [({"steps": 5}, True), ({"steps": None, "seconds": 9.0}, True), ({"steps": 5, "lr": 2e-2}, False)],
)
@pytest.mark.parametrize("schedule", ["cosine", "linear"])
def test_another_budget_of_a_rate_that_falls_is_refused_with_the_reason(
    dataset: Dataset, tmp_path: Path, schedule: str, changes: dict[str, Any], why: bool
) -> None:
    trained(dataset, tmp_path / "run", steps=4, schedule=schedule)
    with pytest.raises(ZooError, match="other settings") as told:
        trained(dataset, tmp_path / "run", **{"steps": 4, "schedule": schedule, **changes})
    assert ("with schedule=constant a longer one would go on" in str(told.value)) == why
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"schedule": "step"}, "schedule must be one of cosine, linear, constant, not 'step'"),
        ({"keep": "first"}, "keep must be one of last, best, not 'first'"),
        ({"patience": 0, "val_every": 1}, "patience must be greater than 0"),
        ({"schedule": "constant", "warmup_steps": -1}, "warmup_steps must not be negative"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ZooError, match=said):
        TrainConfig(**options)
