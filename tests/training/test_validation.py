"""Looking at validation photos: with the averaged weights, at every time alike, and without a trace in training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from support.models import tiny_model
from support.opened import opened
from zoo.color.lab import lab_to_rgb, uint8_to_lab
from zoo.data import Dataset
from zoo.diffusion.samplers import SamplerConfig
from zoo.metrics.colorfulness import colorfulness
from zoo.metrics.psnr import psnr
from zoo.model import ColorDiffusion
from zoo.registry import datasets
from zoo.training.config import TrainConfig
from zoo.training.diffusion import open_batches, train
from zoo.training.ema import EMA
from zoo.training.validation import Validation, open_validation
from zoo.training.watch import Validated

SAMPLER = SamplerConfig("dpmpp_2m", 2)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return datasets.create("synthetic", n_train=8, n_val=6, n_test=1, size=64)


def looking(model: ColorDiffusion, dataset: Dataset, cache: Path, **options: Any) -> Validation:
    config = TrainConfig(steps=4, batch_size=4, **options)
    found = open_validation(model, dataset, config, SAMPLER, cache_dir=cache)
    assert isinstance(found, Validation)
    return found


def test_training_that_is_looked_at_ends_with_the_same_bits(dataset: Dataset, tmp_path: Path) -> None:
    def trained(folder: str, every: int | None) -> tuple[dict[str, torch.Tensor], list[int]]:
        model, config = tiny_model(), TrainConfig(steps=5, batch_size=4, val_every=every, ema=0.9)
        batches = open_batches(model, dataset, config, seed=0, cache_dir=tmp_path / "cache")
        look = open_validation(model, dataset, config, SAMPLER, cache_dir=tmp_path / "cache")
        assert look
        steps: list[int] = []

        def validate(step: int) -> Validated:
            steps.append(step)
            return look()

        train(model, batches, config, tmp_path / folder, on_validate=validate)
        return model.state_dict(), steps

    (plain, never), (watched, often) = trained("plain", None), trained("watched", 2)
    assert (never, often) == ([], [2, 4, 5])
    assert all(torch.equal(plain[name], watched[name]) for name in plain)


def test_the_loss_is_that_of_the_averaged_weights(dataset: Dataset, tmp_path: Path) -> None:
    model, config = tiny_model(), TrainConfig(steps=3, batch_size=4, val_every=3, ema=0.99, lr=1e-2)
    batches = open_batches(model, dataset, config, seed=0, cache_dir=tmp_path)
    look, seen = looking(model, dataset, tmp_path), []
    train(model, batches, config, tmp_path / "run", on_validate=lambda step: seen.append(look().loss) or Validated(0.0))
    assert seen == [pytest.approx(look().loss, abs=1e-7)]  # at the end the model has them


def test_averages_are_in_use_and_then_the_own_weights_again() -> None:
    model = tiny_model()
    ema = EMA(model, 0.9)
    own = {name: p.detach().clone() for name, p in model.named_parameters()}
    for average in ema.average.values():
        average.add_(1)
    with ema.in_use():
        assert all(torch.equal(p, own[name] + 1) for name, p in model.named_parameters())
    assert all(torch.equal(p, own[name]) for name, p in model.named_parameters())


@pytest.mark.parametrize("options", [{"p_uncond": 0.9}, {"saturation_jitter": 0.9}, {"flip": False}, {"batch_size": 2}])
def test_the_loss_does_not_depend_on_how_training_draws(
    dataset: Dataset, tmp_path: Path, options: dict[str, Any]
) -> None:
    other = tiny_model(diffusion={"times": "logit_normal", "times_mean": 2.0})
    config = {"batch_size": 4, **options}
    plain = open_validation(tiny_model(), dataset, TrainConfig(steps=1), SAMPLER, cache_dir=tmp_path)
    changed = open_validation(other, dataset, TrainConfig(steps=1, **config), SAMPLER, cache_dir=tmp_path)
    assert plain
    assert changed
    assert plain().loss == changed().loss


def test_times_of_validation_fill_the_interval(dataset: Dataset, tmp_path: Path) -> None:
    t = looking(tiny_model(), dataset, tmp_path).batch.t.sort().values
    assert len(t) == 6
    torch.testing.assert_close(t, (torch.arange(6) + 0.5) / 6, rtol=0, atol=1 / 6)


def test_photos_are_shown_grey_colored_and_true(dataset: Dataset, tmp_path: Path) -> None:
    model = tiny_model()
    look = looking(model, dataset, tmp_path)
    model.train()
    shown = look().sample_grid
    assert model.training
    assert shown.shape == (4, 3, 16, 16, 3)
    assert np.ptp(shown[:, 0], axis=-1).max() <= 1
    assert np.array_equal(shown[:, 2], look.batch.images[:4].numpy())
    assert not np.array_equal(shown[:, 1], shown[:, 0])


def test_a_data_set_without_validation_photos_is_not_looked_at(tmp_path: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (32, 32, 3), np.uint8)).save(tmp_path / "one.png")
    empty = datasets.create("folder", root=tmp_path, val_fraction=0.0, test_fraction=0.0, face_box=None)
    assert open_validation(tiny_model(), empty, TrainConfig(), SAMPLER, cache_dir=tmp_path) is None


def test_scores_are_those_of_a_quick_coloring_of_all_photos_whatever_the_run_samples_with(
    dataset: Dataset, tmp_path: Path
) -> None:
    model = opened(tiny_model())
    config = TrainConfig(steps=4, batch_size=4)
    one, other = (
        open_validation(model, dataset, config, SamplerConfig("ddim", steps), cache_dir=tmp_path) for steps in (1, 3)
    )
    assert isinstance(one, Validation)
    assert other
    first, again, second = one(), one(), other()
    assert first.scores == again.scores == second.scores
    assert not np.array_equal(first.sample_grid, second.sample_grid)

    L, ab = uint8_to_lab(one.batch.images)
    noise = [torch.Generator().manual_seed(i) for i in range(6)]
    with torch.no_grad():
        pred = lab_to_rgb(L, model.eval().colorize(L, model.encode(L), SamplerConfig("deis", 4), noise)).clamp(0, 1)
    truth = lab_to_rgb(L, ab)
    vivid = colorfulness(pred)
    expected = {
        "psnr": psnr(pred, truth).mean().item(),
        "colorfulness": vivid.mean().item(),
        "colorfulness_abs_diff": (vivid - colorfulness(truth)).abs().mean().item(),
    }
    assert first.scores == pytest.approx(expected, rel=1e-4)
    assert first.scores["colorfulness"] > 1


def test_photos_at_once_change_no_score(dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    look = looking(opened(tiny_model()), dataset, tmp_path)
    whole = look()
    monkeypatch.setattr("zoo.training.validation._AT_ONCE", 4)
    parts = look()
    assert parts.scores == pytest.approx(whole.scores, rel=1e-4)
    assert parts.loss == pytest.approx(whole.loss, rel=1e-4)
