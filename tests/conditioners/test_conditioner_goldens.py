"""What a small denoiser makes of each conditioner's context, to the digit, with encoders of every kind.

`support.golden` says what to do when one changes.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import zoo
from support.golden import Golden
from support.opened import normal, opened
from zoo.conformance.conditioner import LEVELS, SIZE, SPECS, WIDTH, features_of
from zoo.denoisers.unet import UNet

GOLDEN = Golden(Path(__file__).with_name("golden_conditioners.json"), rel=1e-4, absolute=1e-5)
NAMES = [name for name in zoo.list_conditioners() if name != "none"]
KINDS = ["maps", "tokens", "both"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
@torch.no_grad()
def test_a_conditioner_does_what_it_did(name: str, kind: str) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        conditioner = opened(zoo.create_conditioner(name, SPECS[kind], LEVELS))
        extra = [conditioner.extra_channels(i) for i in range(len(LEVELS))]
        denoiser = opened(UNet(width=WIDTH, extra=extra))
    context = conditioner.prepare(features_of(SPECS[kind]), SIZE)
    context = conditioner.drop(context, torch.tensor([False, False, True]))
    said = denoiser(
        normal(3, 2, SIZE[0] // 4, SIZE[1] // 4, seed=3),
        normal(3, 1, *SIZE, seed=4).clamp(-1, 1),
        torch.tensor([0.2, 0.5, 0.9]),
        lambda h, level: conditioner.inject(h, level, context),
        conditioner.embed(context),
    )
    GOLDEN.check(f"{name}, {kind}", [*said.mean(dim=(2, 3)).flatten().tolist(), *said[:, 0, 2, 3].tolist()])


def test_the_table_holds_no_case_that_is_not_tested() -> None:
    assert GOLDEN.cases() == {f"{name}, {kind}" for name in NAMES for kind in KINDS}
