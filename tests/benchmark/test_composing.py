"""What tests compose is what Hydra composes, also where it has composed the groups before."""

from __future__ import annotations

import pytest
from hydra.core.config_store import ConfigStore
from hydra.errors import HydraException
from omegaconf import OmegaConf

from support.composing import by_hydra, composed

GROUPS = ["method=regression", "preset=origin", "metrics=[fd,psnr]"]


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        [*GROUPS, "sampler.steps=3"],
        ["sampler.steps=3", *GROUPS, "train.log=[]", "sampler.steps=4", "seed=2", "metrics.fd.weights='a b.pth'"],
        ["data=mix", "data.parts={a: {name: synthetic, n_train: 3}}", "+data.parts.a.n_val=2", "+odd.at=1"],
    ],
)
def test_it_is_what_hydra_composes(overrides: list[str]) -> None:
    found, expected = composed(*overrides), by_hydra(*overrides)
    assert found == expected
    assert OmegaConf.is_struct(found) == OmegaConf.is_struct(expected)
    found.seed = 99
    assert composed(*overrides) == expected  # one test's change reaches no other


@pytest.mark.parametrize("override", ["train.stepz=3", "train.lr=[1", "train.steps=1,2", "train.steps.of=3"])
def test_it_refuses_what_hydra_refuses(override: str) -> None:
    with pytest.raises(HydraException) as expected:
        by_hydra(override)
    with pytest.raises(HydraException) as told:
        composed(override)
    assert str(told.value) == str(expected.value)


def test_it_knows_a_plug_in_from_one_of_the_same_name_before() -> None:
    for width in (1, 2):
        ConfigStore.instance().store(group="encoder", name="mine", node={"name": "mine", "width": width})
        try:
            assert composed("encoder=mine").encoder.width == width
        finally:
            ConfigStore.instance().repo["encoder"].pop("mine.yaml")
