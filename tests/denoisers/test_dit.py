"""The transformer: what it starts as, and that it takes the UNet's place in a configuration, changing nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from support.composing import plain
from support.ids import ids
from support.models import TINY_DIT, tiny_model
from support.opened import opened
from zoo import checkpoint, registry
from zoo.benchmark.config.plugins import CONFIGS
from zoo.benchmark.config.spec import Spec
from zoo.denoisers.dit import DiT
from zoo.errors import ZooError
from zoo.features import FeatureLevel

PRESETS = {file.stem for file in (CONFIGS / "preset").glob("*.yaml")} - {"origin"}  # which is another denoiser
OPTIONS: dict[str, Any] = {name: value for name, value in TINY_DIT.items() if name != "name"}


def built(*extra: int) -> DiT:
    torch.manual_seed(0)
    return DiT(**OPTIONS, extra=extra).eval()


def said(denoiser: DiT, joined: float | None = None, *, flip: bool = False) -> Tensor:
    rng = torch.Generator().manual_seed(1)
    ab_t, L = torch.randn(2, 2, 4, 6, generator=rng), torch.rand(2, 1, 4, 6, generator=rng)
    L = L.repeat_interleave(4, dim=-1).repeat_interleave(4, dim=-2)  # a token's patch is the same mirrored
    if flip:
        ab_t, L = ab_t.flip(-1), L.flip(-1)

    def inject(h: Tensor, level: int) -> Tensor:
        return h if joined is None else torch.cat([h, joined * torch.ones_like(h[:, :16])], dim=1)

    found: Tensor = denoiser(ab_t, L, torch.tensor([0.3, 0.8]), inject, None)
    return found


def test_its_first_prediction_is_nothing() -> None:
    assert said(built()).abs().max() == 0


def test_it_starts_the_same_whatever_is_joined() -> None:
    alone, joined = built(), built(16, 16)
    known = alone.state_dict()
    assert all(torch.equal(known[name], x) for name, x in joined.state_dict().items() if name in known)
    for denoiser in (alone, joined):
        torch.nn.init.normal_(denoiser.out.weight, generator=torch.Generator().manual_seed(2))
    assert torch.equal(said(joined, 3.0), said(alone))


def test_what_is_seen_mirrored_is_not_what_is_said_mirrored() -> None:
    denoiser = opened(built())
    assert (said(denoiser, flip=True).flip(-1) - said(denoiser)).abs().max() > 1e-3


def test_its_levels_are_all_of_one_width_and_stride() -> None:
    assert DiT.levels() == (FeatureLevel(128, 4),) * 4
    assert DiT.levels(dim=64, depth=5, enter_every=5, chroma_scale=2, patch=4) == (FeatureLevel(64, 8),)


def test_by_default_it_has_as_many_parameters_as_the_unet() -> None:
    counts = {name: registry.denoisers.create(name) for name in ("dit", "unet")}
    dit, unet = (sum(p.numel() for p in counts[name].parameters()) for name in ("dit", "unet"))
    assert dit / unet == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"dim": 48}, "dim must be a multiple of 32"),
        ({"depth": 0}, "depth, mlp_ratio, enter_every and patch ≥ 1"),
        ({"enter_every": 0}, "enter_every=0"),
        ({"chroma_scale": 3}, "chroma_scale must be 1, 2 or 4, not 3"),
    ],
)
def test_impossible_transformers_are_refused_in_one_line(options: dict[str, int], said: str) -> None:
    with pytest.raises(ZooError, match=said) as error:
        DiT(**options)
    assert len(str(error.value).splitlines()) == 1


def test_a_model_of_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    model = opened(tiny_model(denoiser=TINY_DIT)).eval()
    checkpoint.save(model, tmp_path / "m.safetensors")
    again = checkpoint.load(tmp_path / "m.safetensors")
    assert again.spec == model.spec
    expected = model.state_dict()
    assert all(torch.equal(expected[name], x) for name, x in again.state_dict().items())


@pytest.mark.parametrize("preset", [None, *sorted(PRESETS)])
def test_it_takes_the_unet_s_place_and_changes_nothing_else(preset: str | None) -> None:
    overrides = ["metrics=[psnr]", *([f"preset={preset}"] if preset else [])]
    one, other = (Spec.from_config(plain(*overrides, *more)).as_dict() for more in ([], ["denoiser=dit"]))
    assert other.pop("denoiser")["name"] == "dit"
    assert "name" not in one.pop("denoiser")
    assert one == other


def test_its_options_are_in_the_ids_and_those_of_the_unet_are_none_of_it() -> None:
    usual = ids(plain("metrics=[psnr]", "denoiser=dit"))
    for option in ("dim=64", "depth=3", "mlp_ratio=2", "enter_every=1", "patch=2", "chroma_scale=2", "hints=true"):
        changed = ids(plain("metrics=[psnr]", "denoiser=dit", f"denoiser.{option}"))
        assert [a != b for a, b in zip(usual, changed, strict=True)] == [True, True, False], option
    assert ids(plain("metrics=[psnr]", "denoiser=dit", "+denoiser.attention_levels=2")) == usual
