"""What the denoiser's prediction depends on, and that every part of it takes part."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

import zoo
from support.models import TINY_DENOISER, tiny_model
from support.opened import normal, opened, silent_channels
from zoo.denoisers.unet import UNet
from zoo.diffusion.layers import ResBlock, SelfAttention, time_features
from zoo.model import ColorDiffusion

OPTIONS: dict[str, Any] = {"width": 32, "mults": (1, 2, 3), "chroma_scale": 2}
SIZE = 32  # of L: chroma has 16, 8 and 4 positions a side


def given(n: int = 2) -> dict[str, Tensor]:
    return {
        "ab_t": normal(n, 2, SIZE // 2, SIZE // 2),
        "L": normal(n, 1, SIZE, SIZE, seed=1).clamp(-1, 1),
        "t": torch.full((n,), 0.5),
    }


@torch.no_grad()
def said(denoiser: UNet, embedding: Tensor | None = None, **changes: Tensor) -> Tensor:
    arguments = given() | changes
    return denoiser(**arguments, inject=lambda h, level: h, embedding=embedding)


def differ(a: Tensor, b: Tensor) -> bool:
    """By more than rounding."""
    return bool((a - b).abs().max() > 1e-4 * a.abs().max())


@pytest.fixture(scope="module")
def denoiser() -> UNet:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return opened(UNet(**OPTIONS))


# causes


@pytest.mark.parametrize("t", [0.0, 0.001, 0.25, 0.49, 0.51, 1.0])
def test_the_prediction_depends_on_the_time(denoiser: UNet, t: float) -> None:
    assert differ(said(denoiser), said(denoiser, t=torch.full((2,), t)))


def test_each_image_has_a_time_of_its_own(denoiser: UNet) -> None:
    changed = said(denoiser, t=torch.tensor([0.5, 0.7]))
    torch.testing.assert_close(changed[0], said(denoiser)[0], rtol=1e-4, atol=1e-5)
    assert differ(changed[1], said(denoiser)[1])


@pytest.mark.parametrize("name", ["ab_t", "L"])
def test_the_prediction_depends_on_its_input(denoiser: UNet, name: str) -> None:
    assert differ(said(denoiser), said(denoiser, **{name: given()[name].flip(-1)}))


@pytest.mark.parametrize("channel", [0, 1])
def test_the_prediction_depends_on_both_chroma_channels(denoiser: UNet, channel: int) -> None:
    changed = given()["ab_t"]
    changed[:, channel] += 1
    assert differ(said(denoiser), said(denoiser, ab_t=changed))


def test_the_prediction_depends_on_what_is_added_to_the_embedding_of_time(denoiser: UNet) -> None:
    assert differ(said(denoiser), said(denoiser, normal(2, denoiser.embed_dim)))


def test_the_first_prediction_is_zero() -> None:
    assert said(UNet(**OPTIONS)).abs().max() == 0


def test_what_is_seen_mirrored_is_not_what_is_said_mirrored(denoiser: UNet) -> None:
    """It knows left from right: convolutions do, so images are mirrored in training and not features."""
    mirrored = {name: x.flip(-1) for name, x in given().items() if x.dim() > 1}
    assert differ(said(denoiser), said(denoiser, **mirrored).flip(-1))


def test_times_are_told_apart_from_their_neighbours_and_from_afar() -> None:
    features = time_features(torch.linspace(0, 1, 1001), 32)
    distance = torch.cdist(features, features) + 10 * torch.eye(1001)
    assert distance.min() > 0.05


def test_time_features_are_cosines_and_sines_of_a_thousand_t() -> None:
    t = torch.tensor([0.3])
    expected = [f(torch.tensor(300 * 10_000 ** (-i / 2))) for f in (torch.cos, torch.sin) for i in range(2)]
    torch.testing.assert_close(time_features(t, 4)[0], torch.stack(expected), rtol=0, atol=1e-4)


@pytest.mark.parametrize("part", ["scale", "shift"])
def test_time_acts_on_a_block_as(part: str) -> None:
    block, x, e = opened(ResBlock(32, 32, embed_dim=8)), normal(1, 32, 4, 4), normal(1, 8, seed=1)
    rows = {"scale": slice(0, 32), "shift": slice(32, 64)}
    assert block.modulation is not None
    with torch.no_grad():
        for name, where in rows.items():
            if name != part:
                block.modulation.weight[where] = 0
        block.modulation.bias.zero_()
        assert differ(block(x, e), block(x, torch.zeros_like(e)))


def test_time_scales_and_shifts_a_block_s_second_norm() -> None:
    block, x, e = opened(ResBlock(32, 32, embed_dim=8)), normal(1, 32, 4, 4), normal(1, 8, seed=1)
    assert block.modulation is not None
    with torch.no_grad():
        h = block.norm2(block.conv1(torch.nn.functional.silu(block.norm1(x))))
        both = block.modulation(torch.nn.functional.silu(e))[0]
        h = h * (1 + both[:32, None, None]) + both[32:, None, None]
        expected = x + block.conv2(torch.nn.functional.silu(h))
        torch.testing.assert_close(block(x, e), expected)


def test_extra_channels_enter_a_block_s_first_convolution_and_not_its_skip() -> None:
    block, x = ResBlock(32, 32, extra=16), normal(1, 48, 4, 4)
    with torch.no_grad():
        before = block(x)
        torch.testing.assert_close(before, x[:, :32] + block.conv2.bias[:, None, None])  # conv2's weight is 0
        opened(block)
        changed = x.clone()
        changed[:, 32:] += normal(1, 16, 4, 4, seed=1)
        assert differ(block(x), block(changed))


def test_a_block_starts_as_if_extra_channels_were_not_there() -> None:
    x, found = normal(1, 48, 4, 4), []
    for extra in (0, 16):
        with torch.random.fork_rng(), torch.no_grad():
            torch.manual_seed(0)
            block = ResBlock(32, 32, extra=extra)
            block.conv2.weight.fill_(0.1)  # else nothing of the first convolution would be seen
            found.append((block(x[:, : 32 + extra]), torch.rand(1)))  # nor have they drawn a number
    torch.testing.assert_close(found[0], found[1])


# attention


@pytest.mark.parametrize(("levels", "sides"), [(0, []), (1, [4]), (2, [4, 8]), (3, [4, 8, 16])])
def test_attention_is_at_the_coarsest_levels_asked_for_and_no_other(levels: int, sides: list[int]) -> None:
    denoiser = UNet(**OPTIONS, attention_levels=levels)
    seen: list[int] = []
    for module in denoiser.modules():
        if isinstance(module, SelfAttention):
            module.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].shape[-1]))
    said(denoiser)
    # going down and up at each level, and once in the middle
    assert sorted(seen) == sorted([*sides, *sides, *([4] if levels else [])])


def test_attention_sees_every_position_from_every_other() -> None:
    attention, x = opened(SelfAttention(32)), normal(1, 32, 4, 4)
    with torch.no_grad():
        for y, z in [(0, 0), (3, 3), (1, 2)]:
            changed = x.clone()
            changed[0, 0, y, z] += 1
            moved = (attention(changed) - attention(x)).abs().amax(dim=(0, 1))
            assert (moved > 1e-5).all()


def test_attention_is_that_of_torch_with_a_head_for_every_32_channels() -> None:
    attention, x = opened(SelfAttention(64)), normal(2, 64, 3, 5)
    oracle = torch.nn.MultiheadAttention(64, 2, batch_first=True)
    with torch.no_grad():
        for name, own in {"in_proj_": attention.qkv, "out_proj.": attention.out}.items():
            for part in ("weight", "bias"):
                oracle.get_parameter(name + part).copy_(getattr(own, part))
        flat = attention.norm(x).flatten(2).transpose(1, 2)
        expected = oracle(flat, flat, flat)[0].transpose(1, 2).reshape(x.shape)
        torch.testing.assert_close(attention(x) - x, expected, rtol=1e-4, atol=1e-5)


def test_attention_moves_with_its_positions() -> None:
    attention, x = opened(SelfAttention(64)), normal(1, 64, 3, 5)
    with torch.no_grad():
        torch.testing.assert_close(attention(x.flip(-1)), attention(x).flip(-1), rtol=1e-4, atol=1e-5)


# every part takes part


def trained_once(model: ColorDiffusion) -> ColorDiffusion:
    """With the gradients of a batch, some of it dropped."""
    rng = torch.Generator().manual_seed(0)
    n, size = 6, model.image_size
    small = size // model.denoiser.chroma_scale
    model(
        L=torch.rand(n, 1, size, size, generator=rng) * 2 - 1,
        ab=torch.rand(n, 2, size, size, generator=rng) - 0.5,
        t=torch.linspace(0.1, 1, n),
        noise=torch.randn(n, 2, small, small, generator=rng),
        dropped=torch.arange(n) % 3 == 0,
    ).backward()
    return model


DEEP = TINY_DENOISER | {"mults": [1, 2], "blocks": 2, "attention_levels": 2}


@pytest.mark.parametrize("cond", zoo.list_conditioners())
def test_every_channel_of_every_layer_learns(cond: str) -> None:
    model = trained_once(opened(tiny_model("none" if cond == "none" else "unet", cond, image_size=32, denoiser=DEEP)))
    silent = silent_channels(model)
    assert [name for name in silent if not is_a_key_s_bias(name, model)] == []


def is_a_key_s_bias(name: str, model: ColorDiffusion) -> bool:
    """A softmax over keys does not see what all of them share, so that it cannot learn."""
    layer, _, index = name.removesuffix("]").rpartition(".bias[")
    if not layer.endswith(("qkv", "key_value")):
        return False
    channels = model.get_submodule(layer).bias.numel() // (3 if layer.endswith("qkv") else 2)  # type: ignore[operator]
    first = channels if layer.endswith("qkv") else 0
    return first <= int(index) < first + channels


def test_nothing_of_the_encoder_learns_where_nothing_uses_it() -> None:
    model = trained_once(opened(tiny_model("unet", "none")))
    assert all(parameter.grad is None for parameter in model.encoder.parameters())
