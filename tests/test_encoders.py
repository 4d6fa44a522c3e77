"""What every encoder promises."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import skimage
import torch
from torch import Tensor

import zoo
from conftest import Make
from zoo.encoders import Encoder
from zoo.encoders._grey import grey_to_srgb
from zoo.registry import encoders


def lightness(encoder: Encoder, n: int = 2) -> Tensor:
    size = encoder.spec.input_size or 32
    return torch.rand(n, 1, size, size, generator=torch.Generator().manual_seed(1)) * 2 - 1


def has_option(name: str, option: str) -> bool:
    return option in inspect.signature(encoders.get(name)).parameters


every = pytest.mark.parametrize("name", zoo.list_encoders())


@every
def test_gives_what_its_spec_declares(name: str, make: Make) -> None:
    encoder = make(name).eval()
    L = lightness(encoder)
    maps, tokens = encoder(L)
    assert len(maps) == len(encoder.spec.levels)
    for m, level in zip(maps, encoder.spec.levels, strict=True):
        assert m.shape == (2, level.channels, -(-L.shape[2] // level.stride), -(-L.shape[3] // level.stride))
    assert all(x.dtype == torch.float32 and x.isfinite().all() for x in (*maps, tokens) if x is not None)
    strides = [level.stride for level in encoder.spec.levels]
    assert strides == sorted(strides)
    if encoder.spec.token_dim is None:
        assert tokens is None
    else:
        assert tokens.dim() == 3
        assert (tokens.shape[0], tokens.shape[2]) == (2, encoder.spec.token_dim)


@every
def test_is_deterministic_and_treats_images_one_by_one(name: str, make: Make) -> None:
    encoder = make(name).eval()
    L = lightness(encoder)
    with torch.no_grad():
        both, again, second = encoder(L), encoder(L), encoder(L[1:])
    for x, y, z in zip((*both.maps, both.tokens), (*again.maps, again.tokens), (*second.maps, second.tokens)):
        if x is not None:
            assert torch.equal(x, y)
            torch.testing.assert_close(x[1:], z, rtol=1e-3, atol=1e-4)


@every
def test_takes_any_size_of_image_if_it_names_its_own(name: str, make: Make) -> None:
    encoder = make(name).eval()
    if encoder.spec.input_size is None:
        pytest.skip("sees the image at the model's own size")
    for m, level in zip(encoder(torch.zeros(1, 1, 50, 50)).maps, encoder.spec.levels, strict=True):
        assert m.shape[-1] == -(-encoder.spec.input_size // level.stride)


@every
def test_stays_in_eval_mode_without_gradients_when_frozen(name: str, make: Make) -> None:
    encoder = make(name, frozen=True) if has_option(name, "frozen") else make(name)
    if not encoder.frozen:
        pytest.skip("always trains")
    encoder.train()
    assert not any(module.training for module in encoder.modules())
    assert not any(p.requires_grad for p in encoder.parameters())
    features = encoder(lightness(encoder))
    assert not any(x.requires_grad for x in (*features.maps, features.tokens) if x is not None)


@every
def test_every_parameter_has_a_gradient_when_not_frozen(name: str, make: Make) -> None:
    if not has_option(name, "frozen"):
        pytest.skip("nothing to train")
    encoder = make(name, frozen=False).train()
    features = encoder(lightness(encoder))
    outputs = [x for x in (*features.maps, features.tokens) if x is not None]
    sum(((x - 0.3) ** 3).sum() for x in outputs).backward()  # type: ignore[union-attr]
    assert encoder.training
    assert [n for n, p in encoder.named_parameters() if p.grad is None or not p.grad.isfinite().all()] == []


@every
def test_random_weights_have_no_hash(name: str, make: Make) -> None:
    if not has_option(name, "pretrained"):
        pytest.skip("has no pretrained weights")
    assert make(name).weights_sha is None


# grey


def test_grey_is_the_srgb_grey_of_the_same_lightness() -> None:
    L = torch.linspace(-1, 1, 401, dtype=torch.float64)
    lab = np.stack([50 * (L.numpy() + 1), np.zeros(401), np.zeros(401)], axis=-1)
    rgb = skimage.color.lab2rgb(lab[None])[0]
    np.testing.assert_allclose(grey_to_srgb(L).numpy(), rgb.mean(-1), atol=1e-4)


# none


def test_none_says_the_same_of_every_image(make: Make) -> None:
    encoder = make("none")
    maps, tokens = encoder(torch.rand(3, 1, 8, 8))
    assert maps == ()
    assert torch.equal(tokens, torch.zeros(3, 1, 1))
