"""Every registered encoder with every registered conditioner, in each kind of denoiser: each learns from one batch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import zoo
from support.makers import Make
from support.models import TINY_DENOISER
from support.opened import opened
from zoo.denoisers import create, stages
from zoo.diffusion.samplers import SamplerConfig
from zoo.encoders import Encoder
from zoo.errors import ZooError
from zoo.faces.framing import Box, uncrop
from zoo.features import FeatureLevel, Features, FeatureSpec
from zoo.model import ColorDiffusion
from zoo.registry import encoders
from zoo.training.trial import try_out

DENOISERS = {"unet": {"width": 32, "mults": (1, 2)}, "dit": {"dim": 32, "depth": 3, "mlp_ratio": 1}}


@pytest.mark.parametrize("kind", DENOISERS)
@pytest.mark.parametrize("cond", zoo.list_conditioners())
@pytest.mark.parametrize("encoder", zoo.list_encoders())
def test_every_pair_takes_a_training_step(encoder: str, cond: str, kind: str, make: Make) -> None:
    net, options = make(encoder), {"name": kind, **DENOISERS[kind]}
    levels = stages(options)
    conditioner = zoo.create_conditioner(cond, net.spec, levels)
    denoiser = opened(create(options, [conditioner.extra_channels(i) for i in range(len(levels))]))
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


# encoders that give maps alone, or tokens alone


class MapsAlone(Encoder):
    def __init__(self) -> None:
        super().__init__(FeatureSpec((FeatureLevel(4, 2), FeatureLevel(6, 8))))
        self.fine, self.coarse = nn.Conv2d(1, 4, 2, 2), nn.Conv2d(4, 6, 4, 4)

    def forward(self, L: Tensor) -> Features:
        fine = self.fine(L)
        return Features((fine, self.coarse(fine)))


class TokensAlone(Encoder):
    def __init__(self) -> None:
        super().__init__(FeatureSpec(token_dim=6))
        self.patch = nn.Conv2d(1, 6, 8, 8)

    def forward(self, L: Tensor) -> Features:
        return Features(tokens=self.patch(L).flatten(2).transpose(1, 2))  # (N, patches, 6)


ALONE = {"maps": MapsAlone, "tokens": TokensAlone}
CONDITIONERS: dict[str, dict[str, Any]] = {
    **{name: {"name": name} for name in zoo.list_conditioners()},
    "concat, embedding": {"name": "concat", "source": "embedding"},
    "concat, unmixed": {"name": "concat", "mix": False},
    "xattn, all maps": {"name": "xattn", "maps": None},
    "xattn, no maps": {"name": "xattn", "maps": 0},
    "xattn, no embedding": {"name": "xattn", "embedding": False},
    "sum, embedding": {"name": "sum", "parts": {"concat": {"source": "embedding"}, "xattn": {}}},
}
REFUSED = {
    ("maps", "concat, embedding"): "source=embedding: this encoder has no embedding; use source=maps",
    (
        "maps",
        "sum, embedding",
    ): "parts.concat.source=embedding: this encoder has no embedding; use parts.concat.source=maps",
    ("maps", "xattn, no maps"): "maps=0 leaves no token: this encoder has 2 maps",
    ("tokens", "concat, unmixed"): "mix=false joins maps as they are; it needs an encoder with maps",
    ("tokens", "xattn, no embedding"): "leaves no token: this encoder has 0 maps",
}


@pytest.mark.parametrize("cond", CONDITIONERS)
@pytest.mark.parametrize("given", ALONE)
def test_maps_alone_and_tokens_alone_are_learned_from_or_refused_in_one_line(
    given: str, cond: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(encoders._classes, "alone", ALONE[given])

    def model() -> ColorDiffusion:
        return ColorDiffusion(encoder={"name": "alone"}, cond=CONDITIONERS[cond], denoiser=TINY_DENOISER, image_size=16)

    if (given, cond) in REFUSED:
        with pytest.raises(ZooError) as refused:
            model()
        assert REFUSED[given, cond] in str(refused.value)
        assert "\n" not in str(refused.value)
        return
    net = model()
    L, ab = torch.rand(2, 1, 16, 16), torch.rand(2, 2, 16, 16)
    try_out(net, L)
    for parameter in net.parameters():  # what is injected starts at zero
        nn.init.normal_(parameter, std=0.1) if parameter.dim() > 1 else None
    dropped = torch.tensor([True, False])
    net(L, ab, torch.rand(2), torch.randn(2, 2, 4, 4), dropped).backward()
    learned = [parameter.grad is not None and parameter.grad.any() for parameter in net.encoder.parameters()]
    assert all(learned) or not net.conditioner.uses_encoder
    generators = [torch.Generator().manual_seed(0) for _ in L]
    told = net.colorize(L, net.encode(L, Box(-0.1, -0.2, 1.2)), SamplerConfig(steps=1, guidance=2), generators)
    assert told.isfinite().all()
