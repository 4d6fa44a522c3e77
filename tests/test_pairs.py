"""Every registered encoder with every registered conditioner: each pair learns from one batch of real features."""

import pytest
import torch

import zoo
from support.makers import Make
from zoo.denoisers.unet import UNet, denoiser_levels
from zoo.faces.framing import Box, uncrop

LEVELS = denoiser_levels(32, (1, 2), 4)


@pytest.mark.parametrize("cond", zoo.list_conditioners())
@pytest.mark.parametrize("encoder", zoo.list_encoders())
def test_every_pair_takes_a_training_step(encoder: str, cond: str, make: Make) -> None:
    net = make(encoder)
    conditioner = zoo.create_conditioner(cond, net.spec, LEVELS)
    denoiser = UNet(width=32, extra=[conditioner.extra_channels(i) for i in range(len(LEVELS))])
    torch.nn.init.normal_(denoiser.conv_out[2].weight)
    side = net.spec.input_size or 32
    features = net(torch.rand(2, 1, side, side) * 2 - 1)
    features = features._replace(maps=uncrop(features.maps, Box(-0.1, -0.2, 1.2)))

    context = conditioner.drop(conditioner.prepare(features, (32, 32)), torch.tensor([True, False]))
    ab_t, L, t = torch.randn(2, 2, 8, 8), torch.rand(2, 1, 32, 32), torch.rand(2)
    v = denoiser(ab_t, L, t, lambda h, level: conditioner.inject(h, level, context), conditioner.embed(context))
    v.square().sum().backward()

    assert v.shape == ab_t.shape
    assert all(p.grad is not None and p.grad.isfinite().all() for p in denoiser.parameters())
    assert all(p.grad is not None and p.grad.isfinite().all() for p in conditioner.parameters())
