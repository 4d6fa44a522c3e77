"""What every encoder promises (`zoo.conformance.encoder`), and how grey is shown to networks that know colour."""

from __future__ import annotations

import numpy as np
import pytest
import skimage
import torch

import zoo
from support.makers import Make, Options
from zoo.conformance import assert_conforms
from zoo.encoders._grey import grey_to_srgb
from zoo.registry import encoders


@pytest.mark.parametrize("name", zoo.list_encoders())
def test_keeps_every_promise_of_an_encoder(name: str, weightless: Options) -> None:
    assert_conforms("encoder", name, **weightless(name))


@pytest.mark.parametrize("name", [name for name in zoo.list_encoders() if "weights" in encoders.options(name)])
def test_every_encoder_that_was_trained_before_can_be_had_as_it_was_not(name: str, make: Make) -> None:
    if name == "unet":  # trained with the denoiser: it has weights only where they are given
        assert make(name).weights_sha is None
    else:
        assert "pretrained" in encoders.options(name)
        assert make(name, pretrained=False).weights_sha is None


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
