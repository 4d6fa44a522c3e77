"""The greyscale autoencoder: what it is taught, what it cannot see, and its file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor

import zoo
from support.models import tiny_model
from zoo import checkpoint
from zoo.encoders.unet import UNetEncoder
from zoo.encoders.unet_ae import Objective
from zoo.errors import ZooError
from zoo.training.autoencoder import VISIBLE_WEIGHT, Autoencoder

TINY = {"width": 16, "mults": [1, 2], "blocks": 1, "patch": 2}
OBJECTIVES = [Objective("plain"), Objective("denoising"), Objective("masked", mask_size=4)]
every = pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda o: o.name)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def lightness(n: int = 2, size: int = 16) -> Tensor:
    return torch.rand(n, 1, size, size, generator=generator(1)) * 2 - 1


# Objectives


@given(size=st.integers(4, 40), mask_size=st.integers(1, 20), ratio=st.floats(0.01, 0.99), n=st.integers(1, 3))
def test_each_image_has_the_same_share_of_whole_patches_hidden(size: int, mask_size: int, ratio: float, n: int) -> None:
    objective = Objective("masked", mask_ratio=ratio, mask_size=min(mask_size, size // 2))
    hidden = objective.draw(n, size, generator())
    assert hidden is not None
    assert hidden.shape == (n, 1, size, size)
    patches = hidden[:, 0, :: objective.mask_size, :: objective.mask_size]  # their corners
    whole = patches.repeat_interleave(objective.mask_size, 1).repeat_interleave(objective.mask_size, 2)
    assert torch.equal(whole[:, :size, :size], hidden[:, 0])
    counts = patches.sum((1, 2))
    assert (counts == counts[0]).all()
    assert abs(counts[0] - ratio * patches[0].numel()) <= 1
    assert 0 < counts[0] < patches[0].numel()


def test_noise_has_the_strength_asked_for() -> None:
    noise = Objective("denoising", noise_std=0.3).draw(8, 64, generator())
    assert noise is not None
    assert noise.std().item() == pytest.approx(0.3, rel=0.02)


def test_plain_corrupts_nothing() -> None:
    model = Autoencoder(TINY, Objective("plain"))
    assert model.objective.draw(2, 16, generator()) is None
    assert torch.equal(model.seen(lightness(), None), lightness())


def test_the_encoder_sees_nothing_of_what_is_hidden() -> None:
    model = Autoencoder(TINY, Objective("masked", mask_size=4))
    L = lightness()
    hidden = model.objective.draw(2, 16, generator())
    assert hidden is not None
    other = torch.where(hidden, -L, L)
    assert torch.equal(model.seen(L, hidden), model.seen(other, hidden))
    assert torch.equal(model.seen(L, hidden)[~hidden], L[~hidden])


def test_an_error_under_the_mask_weighs_more_than_one_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Autoencoder(TINY, Objective("masked", mask_ratio=0.5, mask_size=4))
    L = lightness()
    hidden = model.objective.draw(2, 16, generator())
    assert hidden is not None
    losses = []
    for wrong in (hidden, ~hidden):
        monkeypatch.setattr(model, "reconstruct", lambda seen, wrong=wrong: L + wrong)
        losses.append(model(L, hidden).item())
    assert losses[1] == pytest.approx(VISIBLE_WEIGHT * losses[0])
    assert sum(losses) == pytest.approx(1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"name": "mask"}, "must be plain, denoising or masked"),
        ({"noise_std": 0.0}, "noise_std must be greater than 0"),
        ({"mask_ratio": 1.0}, r"mask_ratio must lie in \(0, 1\)"),
        ({"mask_size": 0}, "mask_size must be at least 1"),
    ],
)
def test_an_impossible_objective_is_refused(options: dict, said: str) -> None:
    with pytest.raises(ZooError, match=said):
        Objective(**options)


def test_a_patch_of_more_than_half_the_image_is_refused() -> None:
    with pytest.raises(ZooError, match="mask_size must be at most 8"):
        Objective("masked", mask_size=9).check(16)
    Objective("plain", mask_size=9).check(16)


# The network


@every
def test_what_it_trains_is_the_scratch_encoder_and_all_of_it(objective: Objective) -> None:
    model = Autoencoder(TINY, objective)
    assert isinstance(model.encoder, UNetEncoder)
    model(lightness(), objective.draw(2, 16, generator())).backward()
    assert [n for n, p in model.named_parameters() if p.grad is None or not p.grad.isfinite().all()] == []


@pytest.mark.parametrize("size", [8, 16, 18])
def test_a_reconstruction_is_as_large_as_the_image(size: int) -> None:
    model = Autoencoder(TINY, Objective("plain"))
    assert model.reconstruct(lightness(1, size)).shape == (1, 1, size, size)


def test_only_the_coarsest_map_reaches_the_decoder() -> None:
    model = Autoencoder(TINY, Objective("plain"))
    *finer, coarsest = model.encoder(lightness()).maps
    for m in finer:
        m.retain_grad()
    cut = coarsest.detach().requires_grad_()
    model.decoder(cut).sum().backward()
    assert cut.grad is not None
    assert all(m.grad is None for m in finer)


def test_initial_weights_depend_on_the_seed_alone() -> None:
    first, again, other = (Autoencoder(TINY, Objective("masked"), seed=seed) for seed in (3, 3, 4))
    for name, weight in first.state_dict().items():
        assert torch.equal(weight, again.state_dict()[name])
    assert not torch.equal(first.encoder.conv_in.weight, other.encoder.conv_in.weight)


# The file


@every
def test_a_file_gives_back_the_autoencoder(tmp_path: Path, objective: Objective) -> None:
    model = Autoencoder(TINY, objective, seed=2, record={"manifest": "m"})
    model.save(tmp_path / "a.safetensors")
    read = Autoencoder.load(tmp_path / "a.safetensors")
    assert read.identity() == model.identity()
    assert torch.equal(read.reconstruct(lightness()), model.eval().reconstruct(lightness()))


def test_a_file_of_version_1_is_read_under_its_new_names(tmp_path: Path) -> None:
    back = {"conv_in": "enter", "conv_out": "leave", "downsample": "shrink", "upsample": "grow"}
    model = Autoencoder(TINY, Objective("masked"), seed=2)
    state = {".".join(back.get(part, part) for part in name.split(".")): t for name, t in model.state_dict().items()}
    assert {"encoder.enter.weight", "decoder.leave.0.weight"} <= state.keys()
    record = json.dumps({"version": 1, **model.identity()})
    save_file(state, tmp_path / "old.safetensors", {"face-colour-zoo greyscale autoencoder": record})
    for name, tensor in Autoencoder.load(tmp_path / "old.safetensors").state_dict().items():
        assert torch.equal(tensor, model.state_dict()[name]), name


def test_the_same_content_is_the_same_file(tmp_path: Path) -> None:
    model = Autoencoder(TINY, Objective("masked"), record=dict.fromkeys("abcdef", 1))
    for i in range(4):
        model.save(tmp_path / f"{i}.safetensors")
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1


def test_the_encoder_takes_its_half_of_the_file(tmp_path: Path) -> None:
    model = Autoencoder(TINY, Objective("masked"), seed=5)
    model.save(tmp_path / "a.safetensors")
    encoder = zoo.create_encoder("unet", **TINY, weights=str(tmp_path / "a.safetensors"), frozen=True)
    for a, b in zip(encoder(lightness()).maps, model.encoder(lightness()).maps, strict=True):
        assert torch.equal(a, b)
    assert encoder.weights_sha is not None
    assert not any(p.requires_grad for p in encoder.parameters())
    trains = zoo.create_encoder("unet", **TINY, weights=str(tmp_path / "a.safetensors"))
    assert all(p.requires_grad for p in trains.parameters())


def test_a_file_of_another_architecture_says_what_differs(tmp_path: Path) -> None:
    Autoencoder(TINY, Objective("plain")).save(tmp_path / "a.safetensors")
    options = {**TINY, "width": 32, "mults": [1], "weights": str(tmp_path / "a.safetensors")}
    with pytest.raises(ZooError, match=r"with width=16 mults=\[1,2\], but .* with width=32 mults=\[1\]"):
        zoo.create_encoder("unet", **options)


def test_other_files_are_refused(tmp_path: Path) -> None:
    def refused(name: str, said: str) -> None:
        with pytest.raises(ZooError, match=said) as raised:
            zoo.create_encoder("unet", **TINY, weights=str(tmp_path / name))
        assert name in str(raised.value)

    refused("absent.safetensors", r"^weights=.*there is no such file")
    (tmp_path / "text.safetensors").write_text("hello")
    refused("text.safetensors", "not a readable safetensors file")
    save_file({"x": torch.zeros(1)}, tmp_path / "plain.safetensors")
    refused("plain.safetensors", "not an encoder that pretraining wrote")
    checkpoint.save(tiny_model(), tmp_path / "model.safetensors")
    refused("model.safetensors", "not an encoder that pretraining wrote")
