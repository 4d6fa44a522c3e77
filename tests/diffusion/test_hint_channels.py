"""Hints: where they lie in training, and that a denoiser that takes them heeds them, and only them."""

from __future__ import annotations

import pytest
import torch

from support.models import TINY_DENOISER, tiny_model
from zoo.diffusion.hints import draw_masks, hint_channels, mask_at
from zoo.diffusion.samplers import SamplerConfig
from zoo.features import Features
from zoo.model import ColorDiffusion


def hinted_model() -> ColorDiffusion:
    model = tiny_model("none", "none", denoiser=TINY_DENOISER | {"hints": True})
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.denoiser.parameters():  # the last layer starts at 0 and would hide everything
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model.eval()


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_as_many_images_have_hints_as_asked_for(share: float) -> None:
    masks = draw_masks(600, 16, share, torch.Generator().manual_seed(0))
    assert masks.flatten(1).any(dim=1).float().mean().item() == pytest.approx(share, abs=0.06)
    assert set(masks.unique().tolist()) <= {0.0, 1.0}


def test_hints_are_few_or_many_and_anywhere() -> None:
    masks = draw_masks(2000, 32, 1.0, torch.Generator().manual_seed(0))
    count = masks.flatten(1).sum(dim=1)
    assert (count <= 9).float().mean() > 0.15
    assert (count > 200).float().mean() > 0.05
    often = masks.mean(dim=(0, 1))
    assert often.min() > 0.7 * often.mean()
    assert often.max() < 1.3 * often.mean()
    one = masks[count == 1]
    assert len(one) > 20  # the smallest patch is one position


def test_a_place_is_x_and_y_in_fractions_and_its_last_edge_is_inside() -> None:
    mask = mask_at(torch.tensor([[[0.9, 0.3], [1.0, 0.0]], [[0.0, 1.0], [0.0, 1.0]]]), (4, 8))
    assert mask.shape == (2, 1, 4, 8)
    assert torch.nonzero(mask[:, 0]).tolist() == [[0, 0, 7], [0, 1, 7], [1, 3, 0]]


def test_a_model_heeds_both_colour_and_place_of_a_hint() -> None:
    model = hinted_model()
    L, t, x = torch.rand(1, 1, 16, 16), torch.tensor([0.7]), torch.randn(1, 2, 4, 4)
    mask = torch.zeros(1, 1, 4, 4)
    mask[..., 1, 2] = 1
    ab = torch.full((1, 2, 4, 4), 0.6)

    def said(ab: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return model.predict(x, L, t, (), hint_channels(ab, mask))

    plain = model.predict(x, L, t, ())
    assert torch.equal(plain, said(ab, torch.zeros_like(mask)))
    assert not torch.allclose(plain, said(ab, mask))
    assert not torch.allclose(said(ab, mask), said(-ab, mask))
    assert not torch.allclose(said(ab, mask), said(ab, mask.flip(3)))
    elsewhere = torch.where(mask > 0, ab, torch.randn(1, 2, 4, 4))
    assert torch.equal(said(ab, mask), said(elsewhere, mask))


def test_hints_of_a_photo_change_its_colouring_and_are_given_as_ab() -> None:
    model = hinted_model()
    model.ab_mean.fill_(0.1), model.ab_std.fill_(0.25)
    L, mask = torch.rand(1, 1, 16, 16), torch.ones(1, 1, 4, 4)
    sampler = SamplerConfig("dpmpp_2m", 2)

    def colored(hints: tuple[torch.Tensor, torch.Tensor] | None) -> torch.Tensor:
        return model.colorize(L, Features((), None), sampler, [torch.Generator().manual_seed(0)], hints=hints)

    seen: list[torch.Tensor] = []
    model.denoiser.register_forward_hook(lambda _, args, kwargs, out: seen.append(kwargs["hints"]), with_kwargs=True)
    assert not torch.equal(colored(None), colored((torch.full((1, 2, 4, 4), 0.35), mask)))
    assert torch.allclose(seen[-1][:, :2], torch.full((1, 2, 4, 4), 0.5))  # (0.35 − mean) / (2·std)
    assert torch.equal(seen[-1][:, 2:], mask)


def test_training_tells_the_truth_where_it_hints() -> None:
    model = hinted_model()
    model.ab_std.fill_(0.5)
    seen: list[torch.Tensor] = []
    model.denoiser.register_forward_hook(lambda _, args, kwargs, out: seen.append(kwargs["hints"]), with_kwargs=True)
    mask = torch.zeros(1, 1, 4, 4)
    mask[..., 0, 0] = 1
    ab = torch.zeros(1, 2, 16, 16)
    ab[..., :4, :4] = 0.3
    dropped = torch.zeros(1, dtype=torch.bool)
    model(torch.zeros(1, 1, 16, 16), ab, torch.tensor([0.5]), torch.randn(1, 2, 4, 4), dropped, hinted=mask)
    assert seen[0][0, :, 0, 0].tolist() == pytest.approx([0.3, 0.3, 1])
    assert seen[0].abs().sum().item() == pytest.approx(1.6)


def test_a_denoiser_without_hints_has_no_channels_for_them() -> None:
    assert not tiny_model("none", "none").hints
    plain = tiny_model("none", "none").denoiser.conv_in.in_channels
    assert hinted_model().denoiser.conv_in.in_channels == plain + 3
