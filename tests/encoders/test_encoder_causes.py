"""What each encoder sees of a photo, and which of a network's maps it gives."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

import zoo
from support.opened import normal
from zoo.encoders import Encoder
from zoo.faces.framing import WHOLE, Box

# where its network wants the face, against ArcFace's template; measured on photos: a change asks for a new version
FRAMES: dict[str, Box | None] = {
    "arcface": WHOLE,
    "dino": None,
    "facenet": Box(0.03, 0.13, 0.93),
    "hog": None,
    "none": None,
    "origin": None,
    "timm": None,
    "unet": None,
    "unet_ae": None,
}


@pytest.mark.parametrize("name", FRAMES)
def test_the_frame_of_an_encoder_is_the_one_that_was_measured(name: str, make: Callable[..., Encoder]) -> None:
    assert make(name).frame == FRAMES[name]


def test_every_encoder_has_a_frame_that_was_decided() -> None:
    built_in = {name for name in zoo.list_encoders() if zoo.registry.encoders.get(name).__module__.startswith("zoo.")}
    assert built_in == set(FRAMES)


def test_of_several_maps_at_a_stride_timm_gives_the_last() -> None:
    encoder = zoo.create_encoder("timm", model="test_vit.r160_in1k", pretrained=False, input_size=64)
    L = normal(2, 1, 64, 64).clamp(-1, 1)
    with torch.no_grad():
        every = encoder.net(encoder.see(L))  # type: ignore[operator]
        assert len(every) > 1
        torch.testing.assert_close(encoder(L).maps[0], every[-1])


def test_the_scratch_encoder_gives_each_level_as_its_blocks_leave_it() -> None:
    encoder = zoo.create_encoder("unet", width=16, mults=[1, 2])
    kept: list[torch.Tensor] = []
    for stage in encoder.stages:  # type: ignore[union-attr]
        stage.register_forward_hook(lambda module, inputs, output: kept.append(output))
    maps = encoder(normal(1, 1, 16, 16)).maps
    for a, b in zip(maps, kept, strict=True):
        assert torch.equal(a, b)
