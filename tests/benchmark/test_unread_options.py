"""Every option counts or is known to be read by nothing, and what nothing reads makes no other run."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from omegaconf import OmegaConf

from support.composing import plain
from support.ids import ids
from zoo.benchmark.config.plugins import CONFIGS
from zoo.benchmark.config.spec import Spec


@pytest.mark.parametrize(
    ("given", "unread", "same"),
    [
        (["metrics=[fd]"], ["eval.seeds=2"], False),
        (["metrics=[fd]", "method=grey"], ["eval.seeds=2"], True),
        (["metrics=[fd]"], ["metrics.fd.face_box=null"], True),
        (["metrics=[mmd]", "metrics.mmd.space=dino"], ["metrics.mmd.face_box=null"], True),
        (["metrics=[fd]", "metrics.fd.space=arcface"], ["metrics.fd.face_box=[0,0,1]"], False),
    ],
)
def test_what_a_metric_does_not_read_is_not_in_its_protocol(given: list[str], unread: list[str], same: bool) -> None:
    one, other = (ids(plain(*options)) for options in (given, [*given, *unread]))
    assert (one[0] == other[0]) == (one[2] == other[2]) == same


@pytest.mark.parametrize(
    ("method", "learns"), [("grey", False), ("truth", False), ("mean", True), ("regression", True)]
)
def test_photos_to_train_on_count_for_the_methods_that_learn(method: str, learns: bool) -> None:
    config = plain("metrics=[psnr]", f"method={method}")
    assert (ids(config, train="one")[0] != ids(config, train="other")[0]) == learns


@pytest.mark.parametrize(
    ("given", "unread"),
    [
        (["cond=none"], ["diffusion.T=999", "train.p_uncond=0.3", "train.p_hints=0.1"]),
        (["cond.mix=false"], ["cond.channels=32"]),
        (["encoder=unet_ae", "encoder.pretrained=false"], ["encoder.noise_std=0.1", "encoder.pretrain_steps=3"]),
    ],
)
def test_runs_that_differ_in_what_nothing_reads_go_on_from_each_other_s_checkpoints(
    given: list[str], unread: list[str]
) -> None:
    one, other = (Spec.from_config(plain("metrics=[psnr]", *options)) for options in (given, [*given, *unread]))
    assert one.build_model().identity() == other.build_model().identity()
    assert one.train == other.train


# All options of all built-in plug-ins count, but for these, which nothing reads by default
UNREAD = {
    ("encoder/unet_ae", "noise_std"),
    *((f"encoder/{name}", "adapted") for name in ("arcface", "facenet", "timm")),
    *((f"metrics/{name}", "face_box") for name in ("fd", "mmd", "precision_recall")),
}
OTHER: dict[str, Any] = {
    "objective": "plain",
    "source": "embedding",
    "model": "vit_tiny_patch16_224",
    "eta": 0.0,
    "dynamic_threshold": 0.9,
    "weights": "other.pth",
    "face_box": [0.1, 0.1, 0.5],
    "input_size": 224,
    "out_indices": [1],
    "maps": 2,
    "sigma": 1.5,
    "images": 7,
}
SPACES = {"identity": "facenet"}  # another one of a metric; of all others inception, which takes weights


def options_of(group: str) -> Iterator[Any]:
    for file in sorted((CONFIGS / group).glob("*.yaml")):
        loaded: Any = OmegaConf.load(file)
        for option in loaded[file.stem] if group == "metrics" else loaded:
            if option not in ("name", "parts", "defaults"):
                yield pytest.param(group, file.stem, option, id=f"{group}/{file.stem}.{option}")


def another(option: str, value: Any) -> Any:
    if option in OTHER and OTHER[option] != value:
        return OTHER[option]
    if isinstance(value, bool):
        return not value
    return [*value, 32] if isinstance(value, list) else value + 1 if isinstance(value, int) else value * 0.9


@pytest.mark.parametrize(
    ("group", "name", "option"), [case for group in ("encoder", "cond", "metrics") for case in options_of(group)]
)
def test_each_option_of_each_built_in_plug_in_is_in_the_id_or_known_to_be_read_by_nothing(
    group: str, name: str, option: str
) -> None:
    config = plain(*([f"metrics=[{name}]"] if group == "metrics" else ["metrics=[psnr]", f"{group}={name}"]))
    other = deepcopy(config)
    node = other["metrics"][name] if group == "metrics" else other[group]
    if option == "weights" and "space" in node:
        config["metrics"][name]["space"] = node["space"] = SPACES.get(name, "inception")
    node[option] = SPACES.get(name, "inception") if option == "space" else another(option, node[option])
    assert (ids(config)[0] != ids(other)[0]) == ((f"{group}/{name}", option) not in UNREAD)
