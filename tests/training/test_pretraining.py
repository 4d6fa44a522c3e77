"""Pretraining: resumed to the bit, done once, and found again."""

from __future__ import annotations

import os
import shutil
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

import zoo
from support.models import TINY_DENOISER
from zoo import checkpoint, registry
from zoo.cache.images import ImageCache, View, open_images
from zoo.data import Dataset
from zoo.encoders import Encoder
from zoo.encoders.unet_ae import Objective, Recipe
from zoo.errors import ZooError
from zoo.evaluation.reconstruction import reconstruct
from zoo.model import ColorDiffusion
from zoo.progress import StepInfo
from zoo.tensor_file import MODEL
from zoo.training.autoencoder import Autoencoder
from zoo.training.config import TrainConfig
from zoo.training.diffusion import open_batches, train
from zoo.training.pretrain import COST, LightnessBatches, pretrain, untrained
from zoo.weights import sha256_file

NET = {"width": 16, "mults": [1, 1], "blocks": 1, "patch": 4}
MASKED = Objective("masked", mask_size=4)
RECIPE = Recipe(NET, MASKED, steps=6, batch_size=4)
OPTIONS = {"name": "unet_ae", **NET, "mask_size": 4, "pretrain_steps": 6, "pretrain_batch_size": 4}
TINY = TrainConfig(steps=4, batch_size=4, warmup=0.25, checkpoint_every=2)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return registry.datasets.create("synthetic", n_train=10, n_val=4, n_test=4, size=32)


@pytest.fixture(scope="module")
def images(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> ImageCache:
    return open_images(dataset, "train", View(16), tmp_path_factory.mktemp("images"), drop_grey=True)


def model_with(**options: Any) -> ColorDiffusion:
    encoder = {**OPTIONS, **options}
    return ColorDiffusion(encoder=encoder, cond={"name": "concat"}, denoiser=TINY_DENOISER, image_size=16)


# Batches


@pytest.mark.parametrize("objective", [Objective("plain"), Objective("denoising"), MASKED], ids=lambda o: o.name)
def test_a_batch_depends_on_seed_and_step_and_its_shares_make_it_up(images: ImageCache, objective: Objective) -> None:
    batches = LightnessBatches(images, objective, 4, seed=0)
    batches.at(0)
    whole, again = batches.at(5), LightnessBatches(images, objective, 4, seed=0).at(5)
    shares = [batches.at(5, rank, 2) for rank in range(2)]
    for name in ("images", "corruption"):
        if (value := getattr(whole, name)) is not None:
            assert torch.equal(value, getattr(again, name))
            assert torch.equal(torch.cat([getattr(share, name) for share in shares]), value)
            assert not torch.equal(value, getattr(batches.at(6), name))


# The trained file


class _Stopped(Exception):
    pass


def test_stopped_pretraining_resumes_to_the_same_bits(
    images: ImageCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoo.training.pretrain._CHECKPOINT_EVERY", 2)
    calm = pretrain(RECIPE, images, tmp_path / "calm")

    def stop(info: StepInfo) -> None:
        if info.step == 5:
            raise _Stopped

    with pytest.raises(_Stopped):
        pretrain(RECIPE, images, tmp_path / "stopped", on_step=stop)
    assert not list((tmp_path / "stopped").rglob(MODEL))
    steps: list[int] = []
    resumed = pretrain(RECIPE, images, tmp_path / "stopped", on_step=lambda info: steps.append(info.step))
    assert steps == [5, 6]
    assert resumed.read_bytes() == calm.read_bytes()
    assert {path.name for path in resumed.parent.iterdir()} == {MODEL, COST, ".lock"}


def test_the_same_pretraining_is_done_once_and_another_one_again(images: ImageCache, tmp_path: Path) -> None:
    first = pretrain(RECIPE, images, tmp_path)
    steps: list[StepInfo] = []
    assert pretrain(RECIPE, images, tmp_path, on_step=steps.append) == first
    heedless = Recipe(NET, Objective("masked", mask_size=4, noise_std=0.1), steps=6, batch_size=4)  # no noise here
    assert pretrain(heedless, images, tmp_path, on_step=steps.append) == first
    assert steps == []
    others = [
        Recipe(NET, MASKED, steps=5, batch_size=4),
        Recipe(NET, MASKED, steps=6, batch_size=4, seed=1),
        Recipe(NET, Objective("plain"), steps=6, batch_size=4),
        Recipe({**NET, "blocks": 2}, MASKED, steps=6, batch_size=4),
    ]
    assert len({first, *(pretrain(recipe, images, tmp_path) for recipe in others)}) == 5


def test_other_images_are_another_pretraining(dataset: Dataset, images: ImageCache, tmp_path: Path) -> None:
    fewer = open_images(dataset, "train", View(16), tmp_path, drop_grey=True, limit=5)
    assert pretrain(RECIPE, fewer, tmp_path) != pretrain(RECIPE, images, tmp_path)


def test_pretraining_learns(images: ImageCache, tmp_path: Path) -> None:
    losses: list[float] = []
    recipe = Recipe(NET, Objective("plain"), steps=80, batch_size=8, lr=3e-3)
    file = pretrain(recipe, images, tmp_path, on_step=lambda info: losses.append(info.loss))
    assert sum(losses[-10:]) < 0.3 * sum(losses[:10])
    model = untrained(recipe, images)
    assert reconstruct(Autoencoder.load(file), images).psnr > reconstruct(model, images).psnr + 3


def test_under_a_launcher_one_process_pretrains_alone(
    images: ImageCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    file = pretrain(RECIPE, images, tmp_path / "launched")  # would wait for the other process for ever
    assert (os.environ["RANK"], os.environ["WORLD_SIZE"]) == ("1", "2")
    monkeypatch.undo()
    assert file.read_bytes() == pretrain(RECIPE, images, tmp_path / "plain").read_bytes()


def test_a_second_process_waits_and_takes_what_the_first_made(
    images: ImageCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")
    made = pretrain(RECIPE, images, tmp_path)
    held = made.rename(tmp_path / "held")
    lock = (made.parent / ".lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)

    def first_one_ends(message: str, **_: object) -> None:
        assert "waiting" in message
        held.rename(made)
        lock.close()

    monkeypatch.setattr(warnings, "warn", first_one_ends)
    steps: list[StepInfo] = []
    assert pretrain(RECIPE, images, tmp_path, on_step=steps.append) == made
    assert steps == []
    assert made.exists()


def test_what_cannot_be_pretrained_is_refused_before_it_starts(images: ImageCache, tmp_path: Path) -> None:
    with pytest.raises(ZooError, match="mask_size must be at most 8"):
        pretrain(Recipe(NET, Objective("masked", mask_size=16)), images, tmp_path)
    with pytest.raises(ZooError, match="lr must be greater than 0"):
        Recipe(NET, MASKED, lr=0)
    assert list(tmp_path.iterdir()) == []


def test_a_loss_that_is_not_finite_says_that_it_is_the_pretraining_s(
    images: ImageCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Autoencoder, "reconstruct", lambda self, seen: seen * self.encoder.conv_in.weight.sum() / 0)
    with pytest.raises(ZooError, match="pretraining the encoder: the loss is"):
        pretrain(RECIPE, images, tmp_path)


# Reconstructions


def test_a_perfect_reconstruction_has_a_high_psnr_and_hidden_patches_are_scored_alone(
    images: ImageCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = untrained(RECIPE, images)
    monkeypatch.setattr(model, "reconstruct", lambda seen: seen)
    with torch.no_grad():
        assert model.mask_value is not None
        model.mask_value.fill_(9.0)  # nothing near any L
    found = reconstruct(model, images, grid=3)
    assert found.psnr > 90
    assert found.psnr_corrupted is not None
    assert found.psnr_corrupted < 0
    assert found.sample_grid.shape == (3, 4, 16, 16, 3)


# encoder=unet_ae


def prepared(images: ImageCache, cache: Path, **options: Any) -> Encoder:
    torch.manual_seed(0)
    encoder = zoo.create_encoder(**{**OPTIONS, **options})
    encoder.pretrain(images, cache_dir=cache, teach=partial(pretrain, images=images, cache_dir=cache))
    return encoder


def test_it_takes_the_weights_that_it_pretrained(images: ImageCache, tmp_path: Path) -> None:
    encoder = prepared(images, tmp_path)
    (file,) = tmp_path.rglob(MODEL)
    assert encoder.weights_sha == sha256_file(file)
    expected = Autoencoder.load(file).encoder.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in encoder.state_dict().items())


def test_weights_that_were_given_win_and_random_ones_stay(images: ImageCache, tmp_path: Path) -> None:
    file = pretrain(Recipe(NET, Objective("plain"), steps=2, batch_size=4), images, tmp_path / "given")
    given = prepared(images, tmp_path / "cache", weights=str(file))
    assert given.weights_sha == sha256_file(file)
    random = prepared(images, tmp_path / "cache", pretrained=False)
    assert random.weights_sha is None
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("frozen", [True, False])
def test_it_trains_on_unless_it_is_frozen(dataset: Dataset, tmp_path: Path, frozen: bool) -> None:
    model = model_with(frozen=frozen)
    batches = open_batches(model, dataset, TINY, seed=0, cache_dir=tmp_path / "cache")
    before = {name: p.clone() for name, p in model.encoder.state_dict().items()}
    train(model, batches, TINY, tmp_path / "run")
    same = [torch.equal(p, before[name]) for name, p in model.encoder.state_dict().items()]
    assert all(same) if frozen else not any(same)
    assert all(p.requires_grad != frozen for p in model.encoder.parameters())


def test_a_conditioner_that_uses_no_encoder_has_none_pretrained(dataset: Dataset, tmp_path: Path) -> None:
    model = ColorDiffusion(encoder=OPTIONS, cond={"name": "none"}, denoiser=TINY_DENOISER, image_size=16)
    open_batches(model, dataset, TINY, seed=0, cache_dir=tmp_path)
    assert not list(tmp_path.rglob(MODEL))


@pytest.mark.parametrize("name", ["unet", "unet_ae"])
def test_a_model_file_needs_no_file_of_the_pretraining(
    dataset: Dataset, images: ImageCache, tmp_path: Path, name: str
) -> None:
    given = {}
    if name == "unet":
        given = {"weights": str(pretrain(RECIPE, images, tmp_path / "cache"))}
        encoder = {"name": "unet", **NET, **given, "frozen": True}
        model = ColorDiffusion(encoder=encoder, cond={"name": "concat"}, denoiser=TINY_DENOISER, image_size=16)
    else:
        model = model_with(frozen=True)
    train(model, open_batches(model, dataset, TINY, seed=0, cache_dir=tmp_path / "cache"), TINY, tmp_path / "run")
    shutil.rmtree(tmp_path / "cache")
    read = checkpoint.load(tmp_path / "run" / MODEL)
    assert read.encoder.weights_sha == model.encoder.weights_sha is not None
    assert read.encoder.frozen
    L = torch.rand(2, 1, 16, 16) * 2 - 1
    for a, b in zip(read.encode(L).maps, model.encode(L).maps, strict=True):
        assert torch.equal(a, b)
    checkpoint.save(read, tmp_path / "again.safetensors")
    assert checkpoint.load(tmp_path / "again.safetensors").encoder.weights_sha == model.encoder.weights_sha


def test_a_model_file_is_not_read_with_other_weights(images: ImageCache, tmp_path: Path) -> None:
    files = [pretrain(Recipe(NET, MASKED, steps=1, batch_size=4, seed=seed), images, tmp_path) for seed in (0, 1)]
    model = model_with(frozen=True, weights=str(files[0]))
    checkpoint.save(model, tmp_path / "model.safetensors")
    with pytest.raises(ZooError, match="was trained with encoder weights of sha256"):
        checkpoint.load(tmp_path / "model.safetensors", encoder={"weights": str(files[1])})


@pytest.mark.parametrize("frozen", [True, False])
def test_a_stopped_color_run_resumes_to_the_same_bits_although_the_cache_is_gone(
    dataset: Dataset, tmp_path: Path, frozen: bool
) -> None:
    def run(folder: str, cache: str, stop_after: int = 99) -> ColorDiffusion:
        def stop(info: StepInfo) -> None:
            if info.step == stop_after:
                raise _Stopped

        model = model_with(frozen=frozen)
        batches = open_batches(model, dataset, TINY, seed=0, cache_dir=tmp_path / cache)
        train(model, batches, TINY, tmp_path / folder, on_step=stop)
        return model

    calm = run("calm", "cache")
    with pytest.raises(_Stopped):
        run("stopped", "cache", stop_after=3)
    resumed = run("stopped", "another cache")
    for name, value in calm.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name
