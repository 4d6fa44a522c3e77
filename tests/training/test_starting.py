"""Training that goes on from a model: the same network, its weights and its chroma statistics, known by content."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from support.models import TINY_DENOISER, TINY_DIT, tiny_model
from zoo import checkpoint
from zoo.errors import ZooError
from zoo.model import ColorDiffusion
from zoo.registry import datasets
from zoo.training.config import TrainConfig
from zoo.training.diffusion import open_batches, train
from zoo.training.starting import start_from


@pytest.fixture
def file(tmp_path: Path) -> Path:
    model = tiny_model()
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter))
    model.ab_mean.fill_(0.125)
    model.ab_std.fill_(0.375)
    checkpoint.save(model, tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


@pytest.mark.parametrize("of_folder", [False, True])
def test_it_has_the_weights_and_statistics_of_the_file(file: Path, of_folder: bool) -> None:
    model, other = tiny_model(seed=5), checkpoint.load(file)
    start_from(model, file.parent if of_folder else file)
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name]), name
    model.set_chroma_statistics(torch.rand(4, 2, 16, 16))
    assert model.ab_mean.unique().tolist() == [0.125]


def test_defaults_that_are_written_out_are_the_same_network(file: Path) -> None:
    model = tiny_model(denoiser={"name": "unet", **TINY_DENOISER, "hints": False})
    start_from(model, file)
    assert model.started_from


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"denoiser": TINY_DENOISER | {"width": 64}}, "has denoiser.width=32, but 64 is asked for"),
        ({"cond": {"name": "add"}}, "has cond=concat, but cond=add is asked for"),
        (
            {"cond": {"name": "sum", "parts": {"film": {}, "concat": {}}}, "denoiser": TINY_DIT},
            r"has cond=concat denoiser=unet, but cond=film\+concat denoiser=dit is asked for",
        ),
        (
            {"cond": {"name": "concat", "channels": 32}, "denoiser": TINY_DENOISER | {"width": 64}},
            r"cond.channels=\d+, but 32 is asked for; denoiser.width=32, but 64 is asked for: only the same network",
        ),
        ({"cond": {"name": "concat", "channels": 32}}, "cond.channels"),
        ({"diffusion": {"parameterisation": "x0"}}, "says v on another schedule"),
    ],
)
def test_another_network_is_refused_by_naming_what_differs(file: Path, changes: dict[str, Any], says: str) -> None:
    model = tiny_model(**changes)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(ZooError, match=says) as told:
        start_from(model, file)
    assert "\n" not in str(told.value)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_the_bundled_model_can_be_trained_on(tmp_path: Path) -> None:
    spec = checkpoint.load(checkpoint.BUNDLED[0]).spec
    model = ColorDiffusion(**{**spec, "image_size": 64})
    start_from(model, "bundled")
    dataset = datasets.create("synthetic", n_train=4, n_val=1, n_test=1, size=64)
    config = TrainConfig(steps=1, batch_size=2, lr=1e-6, p_uncond=0.0, ema=0.0)
    batches = open_batches(model, dataset, config, seed=0, cache_dir=tmp_path / "cache")
    train(model, batches, config, tmp_path / "run")
    after, bundled = model.state_dict(), checkpoint.load(checkpoint.BUNDLED[0]).state_dict()
    assert max((after[name] - bundled[name]).abs().max().item() for name in bundled) < 1e-5
    assert any(not torch.equal(after[name], bundled[name]) for name in bundled)


def test_a_checkpoint_of_a_training_that_began_elsewhere_is_not_taken_up(file: Path, tmp_path: Path) -> None:
    dataset = datasets.create("synthetic", n_train=4, n_val=1, n_test=1, size=64)
    config = TrainConfig(steps=1, batch_size=2)

    def trained(model: ColorDiffusion) -> None:
        batches = open_batches(model, dataset, config, seed=0, cache_dir=tmp_path / "cache")
        train(model, batches, config, tmp_path / "run")

    trained(tiny_model())
    model = tiny_model()
    start_from(model, file)
    with pytest.raises(ZooError, match="other settings"):
        trained(model)


@pytest.mark.parametrize("patch", [1, 2])
@pytest.mark.parametrize("network", [TINY_DENOISER, TINY_DIT], ids=["unet", "dit"])
def test_a_model_that_is_to_learn_hints_starts_as_one_that_knows_none(
    tmp_path: Path, patch: int, network: dict[str, Any]
) -> None:
    denoiser = network | {"patch": patch, "chroma_scale": 2}
    plain, told = (tiny_model("none", "none", denoiser=denoiser | {"hints": hints}) for hints in (False, True))
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in plain.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    checkpoint.save(plain, tmp_path / "plain.safetensors")
    start_from(told, tmp_path / "plain.safetensors")
    given = torch.randn(2, 2, 8, 8), torch.rand(2, 1, 16, 16), torch.tensor([0.2, 0.9]), ()
    without = plain.eval().predict(*given)
    assert without.abs().max() > 0.1
    torch.testing.assert_close(told.eval().predict(*given), without)
    torch.testing.assert_close(told.predict(*given, torch.randn(2, 3, 8, 8)), without)


def test_a_model_with_hints_does_not_become_one_without(tmp_path: Path) -> None:
    checkpoint.save(tiny_model(denoiser=TINY_DENOISER | {"hints": True}), tmp_path / "told.safetensors")
    with pytest.raises(ZooError, match=r"has denoiser\.hints=True, but False is asked for"):
        start_from(tiny_model(), tmp_path / "told.safetensors")
