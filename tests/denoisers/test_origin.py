"""The original project's network, held against its shapes and number of parameters."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import zoo
from support.composing import plain
from support.opened import normal
from zoo.benchmark.config.spec import Spec
from zoo.denoisers import stages
from zoo.denoisers.origin import LinearAttention, OriginDenoiser, StandardizedConv
from zoo.errors import ZooError
from zoo.model import ColorDiffusion

CHANNELS = [128, 128, 256, 384]
SMALL = {"width": 16, "mults": [1, 2, 3, 3]}


def parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def small(**changes: Any) -> ColorDiffusion:
    return ColorDiffusion(
        encoder={"name": "origin", **SMALL},
        cond={"name": "concat", "mix": False},
        denoiser={"name": "origin", **SMALL, **changes},
        diffusion={"parameterisation": "eps", "schedule": "linear", "T": 350},
        image_size=16,
    )


def test_it_has_the_parameters_of_the_original() -> None:
    """61.5 M, of which some have no effect and are not made here: the encoder's time layers (an MLP of 128 → 512 → 512
    and a scale and shift for each of its eight blocks) and its convolution behind the last stage."""
    with torch.device("meta"):
        model = ColorDiffusion(
            encoder={"name": "origin"}, cond={"name": "concat", "mix": False}, denoiser={"name": "origin"}
        )
    time = (128 * 512 + 512) + (512 * 512 + 512) + sum(2 * (512 * 2 * c + 2 * c) for c in CHANNELS)
    without_effect = time + 384 * 384 * 9 + 384
    made = parameters(model.encoder) + parameters(model.denoiser)
    assert (made, without_effect) == (58_009_602, 3_494_784)
    assert made + without_effect == pytest.approx(61.5e6, rel=0.001)


def test_it_is_trained_and_diffused_as_the_original_was() -> None:
    spec = Spec.from_config(plain("method=origin"))
    train, diffusion, denoiser = spec.train, spec.diffusion, spec.denoiser
    assert (train.batch_size, train.lr, train.ema, train.saturation_jitter) == (72, 1e-6, 0.9999, 0.3)
    assert (diffusion.parameterisation, diffusion.schedule, diffusion.T) == ("eps", "linear", 350)
    assert (denoiser["width"], denoiser["mults"], denoiser["dropout"]) == (128, [1, 2, 3, 3], 0.3)
    assert (spec.encoder.name, spec.cond.as_dict()["mix"]) == ("origin", False)


def test_maps_are_joined_as_they_are_right_before_each_downsampling() -> None:
    model = ColorDiffusion(
        encoder={"name": "origin"}, cond={"name": "concat", "mix": False}, denoiser={"name": "origin"}
    )
    assert [level.channels for level in model.encoder.spec.levels] == CHANNELS
    assert [conv.in_channels for conv in model.denoiser.downsample] == [4 * 256, 4 * 256, 4 * 512, 768]
    features = model.encode(normal(1, 1, 16, 16))
    for given, joined in zip(features.maps, model.context(features, normal(1, 1, 16, 16)), strict=True):
        assert joined is given or torch.equal(joined, given)


def test_every_stage_has_linear_attention_and_every_block_standardised_weights() -> None:
    model = small()
    assert sum(isinstance(m, LinearAttention) for m in model.modules()) == 4 + 4 + 4
    assert sum(isinstance(m, StandardizedConv) for m in model.modules()) == 2 * (8 + 8 + 8 + 2 + 1)


def test_standardised_weights_ignore_the_scale_and_mean_of_what_is_learned() -> None:
    conv, x = StandardizedConv(8, 4, 3), normal(1, 8, 6, 6)
    before = conv(x)
    with torch.no_grad():
        conv.weight.mul_(5).add_(3)
    torch.testing.assert_close(conv(x), before, atol=0.1, rtol=1e-2)  # 1e-5 is added to the variance


def test_linear_attention_is_its_formula() -> None:
    attend, x = LinearAttention(16), normal(1, 16, 3, 2)
    q, k, v = attend.qkv(attend.norm(x)).reshape(3, 4, 32, 6)
    parts = []
    for head in range(4):
        weights = k[head].softmax(dim=1)  # over positions
        context = weights @ v[head].T / 6  # (D, D)
        parts.append((q[head].softmax(dim=0) * 32**-0.5).T @ context)
    expected = x + attend.out(torch.cat(parts, dim=1).T.reshape(1, 128, 3, 2))
    torch.testing.assert_close(attend(x), expected)


def test_chroma_keeps_its_mean_and_is_divided_by_110() -> None:
    model = small()
    model.set_chroma_statistics(normal(4, 2, 16, 16) + 5)
    assert model.ab_mean.abs().max() == 0
    assert (2 * model.ab_std == 1).all()  # ab of the model is ab/110 already


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_a_step_of_training_gives_the_same_twice_and_drops_something_if_told_to(dropout: float) -> None:
    model = small(dropout=dropout).train()
    given = (normal(2, 1, 16, 16), normal(2, 2, 16, 16), torch.tensor([0.3, 0.9]), normal(2, 2, 16, 16))
    features = model.encode(given[0])
    losses = [model(*given, torch.zeros(2, dtype=torch.bool), features=features).item() for _ in range(2)]
    assert losses[0] == losses[1]
    model.eval()
    assert (model(*given, torch.zeros(2, dtype=torch.bool), features=features).item() != losses[0]) == (dropout > 0)


@torch.no_grad()
def test_what_it_says_depends_on_noise_lightness_time_and_every_map() -> None:
    model = small().eval()
    L, ab, t = normal(1, 1, 16, 16), normal(1, 2, 16, 16, seed=1), torch.tensor([0.5])
    features = model.encode(L)

    def said(ab: Tensor = ab, L: Tensor = L, t: Tensor = t, maps: tuple[Tensor, ...] = features.maps) -> Tensor:
        return model.predict(ab, L, t, model.context(features._replace(maps=maps), L))

    others = [said(ab=ab + 1), said(L=L + 1), said(t=t + 0.2)]
    for i in range(4):
        others.append(
            said(maps=tuple(m + normal(*m.shape, seed=9) if j == i else m for j, m in enumerate(features.maps)))
        )
    assert all(not torch.allclose(other, said(), atol=1e-6) for other in others)


def test_a_denoiser_is_found_by_its_name() -> None:
    assert zoo.list_denoisers() == ["dit", "origin", "unet"]
    assert isinstance(zoo.create_denoiser("origin", **SMALL), OriginDenoiser)
    assert [level.stride for level in stages({"name": "origin"})] == [1, 2, 4, 8]
    assert stages({}) == stages({"name": "unet"})
    with pytest.raises(ZooError, match="did you mean 'origin'"):
        stages({"name": "origen"})


def test_it_knows_no_lower_resolution_of_chroma() -> None:
    with pytest.raises(ZooError, match="chroma_scale must be 1, not 4"):
        stages({"name": "origin", "chroma_scale": 4})


@pytest.mark.parametrize("options", [{"width": 12}, {"mults": []}, {"dropout": 1.0}])
def test_impossible_sizes_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ZooError, match="multiple of 8"):
        stages({"name": "origin", **options})
