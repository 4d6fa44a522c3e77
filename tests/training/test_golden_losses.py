"""What training gives, to the digit: losses of its first steps, and the colours afterwards.

Nothing in here says what is right. It says that something changed: see `support.golden` for what to do then.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import zoo
from support.golden import Golden
from support.models import TINY_DENOISER, TINY_DIT, tiny_model
from zoo.data import Dataset
from zoo.diffusion.samplers import SamplerConfig
from zoo.faces.framing import Box
from zoo.model import ColorDiffusion
from zoo.registry import datasets
from zoo.training.batches import inputs
from zoo.training.config import TrainConfig
from zoo.training.diffusion import open_batches, train

STEPS = 20
# every option acts
CONFIG = TrainConfig(
    steps=STEPS,
    batch_size=8,
    lr=2e-3,
    warmup=5 / STEPS,
    weight_decay=0.5,
    grad_clip=0.5,
    ema=0.9,
    p_uncond=0.25,
    saturation_jitter=0.3,
    checkpoint_every=STEPS,
)
FRAME = Box(0.1, 0.05, 0.7)  # not in the middle, so that mirroring it matters
GOLDEN = Golden(Path(__file__).with_name("golden_losses.json"), rel=1e-4, absolute=1e-5)

CONDITIONERS = {f"cond={name}": {"cond": name} for name in zoo.list_conditioners()}
METHODS: dict[str, dict[str, Any]] = {
    "method=regression": {"diffusion": {"parameterisation": "x0", "schedule": "none"}},
    "method=origin": {"diffusion": {"parameterisation": "eps", "schedule": "linear", "T": 350}},
    "diffusion=x0,min_snr": {"diffusion": {"parameterisation": "x0", "loss_weight": "min_snr"}},
    "diffusion=v,min_snr": {"diffusion": {"parameterisation": "v", "loss_weight": "min_snr"}},
}
ENCODERS: dict[str, dict[str, Any]] = {
    "encoder=unet in its frame": {"frame": FRAME},  # views and boxes in each step
    "encoder=hog": {"encoder": "hog"},  # frozen: its features come from the cache,
    "encoder=hog in its frame": {"encoder": "hog", "frame": FRAME},  # put back onto the image
    "encoder=none": {"encoder": "none", "cond": "film"},
}
DENOISERS: dict[str, dict[str, Any]] = {
    "denoiser=patches": {"denoiser": TINY_DENOISER | {"chroma_scale": 1, "patch": 4}},
    "denoiser=deep": {"denoiser": TINY_DENOISER | {"mults": [1, 2, 2], "blocks": 2, "attention_levels": 2}},
    "denoiser=dit": {"denoiser": TINY_DIT},
}
CASES = CONDITIONERS | METHODS | ENCODERS | DENOISERS


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return datasets.create("synthetic", n_train=24, n_val=1, n_test=2, size=32)


def model_of(
    *, encoder: str = "unet", cond: str = "concat", frame: Box | None = None, **changes: Any
) -> ColorDiffusion:
    model = tiny_model(encoder, cond, image_size=32, **changes)
    model.encoder.frame = frame
    return model


@pytest.mark.parametrize("case", CASES)
def test_losses_and_the_colors_after_them_are_those_measured_before(
    case: str, dataset: Dataset, cache: Path, tmp_path: Path
) -> None:
    model = model_of(**CASES[case])
    batches = open_batches(model, dataset, CONFIG, seed=0, cache_dir=cache)
    losses: list[float] = []
    train(model, batches, CONFIG, tmp_path, on_step=lambda info: losses.append(info.loss))
    GOLDEN.check(case, losses)

    given = inputs(batches.at(0), "cpu")
    features = given["features"] or model.encode(given["view"], given["box"])
    generators = [torch.Generator().manual_seed(i) for i in range(CONFIG.batch_size)]
    ab = model.colorize(given["L"], features, SamplerConfig("ddim", 4, guidance=1.5, time_power=1.0), generators)
    GOLDEN.check(f"{case}: colours", [*ab.mean(dim=(0, 2, 3)).tolist(), *ab.std(dim=(0, 2, 3)).tolist()])


def test_the_table_holds_no_case_that_is_not_tested() -> None:
    assert GOLDEN.cases() == {name for case in CASES for name in (case, f"{case}: colours")}
