"""Every option of a run is in the ids that it must be in, and in no other.

A new option fails `test_every_option_is_looked_at` until someone has decided what it changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from support.composing import plain
from support.ids import changed, differing, ids
from zoo.benchmark.config.spec import Spec
from zoo.benchmark.runs import identity
from zoo.registry import metrics

# other values; what they change
TRAINING: dict[str, Any] = {
    "method": "origin",
    "encoder.name": "unet_ae",
    "encoder.width": 32,
    "encoder.mults": [1, 3],
    "encoder.blocks": 2,
    "encoder.patch": 2,
    "encoder.frozen": True,
    "cond.name": "none",
    "cond.channels": 32,
    "cond.source": "embedding",
    "cond.mix": False,
    "data.crop": [0.5, 1],
    "diffusion.parameterisation": "x0",
    "diffusion.schedule": "linear",
    "diffusion.loss_weight": "min_snr",
    "diffusion.times": "uniform",
    "diffusion.times_mean": 0.5,
    "diffusion.times_scale": 0.5,
    "train.init": "bundled",
    "train.steps": 999,
    "train.seconds": 1.5,
    "train.batch_size": 63,
    "train.lr": 0.0011,
    "train.schedule": "linear",
    "train.patience": 3,
    "train.keep": "best",
    "train.warmup": 0.04,
    "train.weight_decay": 0.02,
    "train.grad_clip": 1.1,
    "train.ema": 0.998,
    "train.p_uncond": 0.11,
    "train.flip": False,
    "train.saturation_jitter": 0.01,
    "train.mixed_precision": "bf16",
    "image_size": 128,
    "seed": 1,
    "denoiser.name": "origin",
    "denoiser.width": 96,
    "denoiser.mults": [1, 3],
    "denoiser.blocks": 2,
    "denoiser.attention_levels": 2,
    "denoiser.chroma_scale": 2,
    "denoiser.patch": 2,
    "denoiser.hints": True,
}
SCORING: dict[str, Any] = {
    "sampler.name": "dpmpp_2m",
    "sampler.steps": 9,
    "sampler.guidance": 1.1,
    "sampler.time_power": 2.4,
    "sampler.eta": 0.1,
    "sampler.dynamic_threshold": 0.9,
    "eval.split": "val",
    "eval.limit": 3,
    "eval.seed": 1,
    "eval.hints": [1],
    "metrics.psnr": {"name": "ssim"},
    "metrics.diversity.samples": 3,
}
NEITHER: dict[str, Any] = {
    "fail_fast": True,
    # what only says which photos there are: they are known by their hashes
    "data.name": "lfw",
    "data.n_train": 1999,
    "data.n_val": 199,
    "data.n_test": 199,
    "data.size": 97,
    "data.seed": 1,
    "data.limit": 5,
    "train.log": [],
    "train.checkpoint_every": 199,
    "train.feature_cache_gb": 7.0,
    "metrics.primary": "psnr",
    "data.dedupe": True,
    "eval.seeds": 2,  # of metrics of sets
    "eval.batch_size": 63,
    "eval.samples": 2,
    "eval.grid": 15,
    "device": "cpu",
    "plugins": ["json"],
    "results_dir": "elsewhere",
    "cache_dir": "elsewhere",
    "table": "table.csv",
}
IN_BOTH = {"image_size"}  # weights and scores alike
WITH_IT: dict[str, dict[str, Any]] = {  # what else has to change
    "denoiser.name": {"denoiser.chroma_scale": 1},
    "cond.name": {"cond": {"name": "none"}},
    "data.name": {"data": {"name": "lfw", "root": "somewhere", "download": False, "limit": None}},
    "encoder.name": {"encoder": {"name": "none"}},
    "train.seconds": {"train.steps": None},
}
NOT_LOOKED_AT = {"encoder.weights"}  # by their sha256 alone
READ_WITH: dict[str, tuple[Any, dict[str, Any]]] = {  # another value, and what has to be chosen for it to be read
    "diffusion.T": (999, {"diffusion.schedule": "linear"}),
    "train.p_hints": (0.4, {"denoiser.hints": True}),
    "train.warmup_steps": (99, {"train.schedule": "constant"}),
    "train.val_every": (199, {"train.keep": "best"}),
}
CASES = [
    *((name, value, True, True, name in IN_BOTH) for name, value in TRAINING.items()),
    *((name, value, True, False, True) for name, value in SCORING.items()),
    *((name, value, False, False, False) for name, value in NEITHER.items()),
]


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    return plain("metrics=[psnr,diversity]", "sampler=ddim")


@pytest.mark.parametrize(("name", "value", "run", "training", "protocol"), CASES, ids=[case[0] for case in CASES])
def test_an_option_changes_the_ids_that_depend_on_it_and_no_other(
    config: dict[str, Any], name: str, value: Any, run: bool, training: bool, protocol: bool
) -> None:
    changes = WITH_IT.get(name, {})
    if name not in {f"{section}.name" for section in changes}:
        changes = {name: value, **changes}
    assert differing(config, changed(config, changes)) == (run, training, protocol)


def leaves(node: Any, prefix: str = "") -> Iterator[str]:
    for key, value in node.items():
        if isinstance(value, Mapping) and key != "psnr":
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key


def test_every_option_is_looked_at(config: dict[str, Any]) -> None:
    looked_at = {*TRAINING, *SCORING, *NEITHER, *NOT_LOOKED_AT, *READ_WITH}
    assert set(leaves(config)) - {"metrics.diversity.name", "metrics.diversity.images"} == looked_at


@pytest.mark.parametrize("name", READ_WITH)
def test_an_option_that_another_makes_read_counts_then_and_only_then(config: dict[str, Any], name: str) -> None:
    value, choice = READ_WITH[name]
    assert differing(config, changed(config, {name: value})) == (False, False, False)
    chosen = changed(config, choice)
    assert differing(chosen, changed(chosen, {name: value}))[:2] == (True, True)


@pytest.mark.parametrize(
    ("overrides", "unread", "same"),
    [
        (["cond=none"], ["encoder=hog"], True),
        (["cond=concat"], ["encoder=hog"], False),
        (["cond=none"], ["sampler.guidance=2"], True),
        (["method=regression"], ["sampler=dpmpp_2m", "sampler.steps=3"], True),
        (["method=regression"], ["sampler.guidance=2"], False),
        (["method=regression"], ["diffusion.T=7"], True),
        (["method=grey"], ["sampler.steps=3", "train.lr=1", "seed=3", "encoder=hog"], True),
        (["sampler=dpmpp_2m"], ["sampler.steps=3"], False),
        (["encoder=unet_ae"], ["encoder.noise_std=0.1"], True),
        (["encoder=unet_ae", "encoder.objective=denoising"], ["encoder.noise_std=0.1"], False),
        (["encoder=unet_ae", "encoder.pretrained=false"], ["encoder.pretrain_steps=3"], True),
        (["encoder=unet_ae"], ["encoder.pretrain_steps=3"], False),
        ([], ["sampler.guidance=1"], True),
        (["train.steps=null", "train.seconds=60"], ["train.seconds=60.0"], True),
        (["train.steps=null", "train.seconds=60"], ["train.seconds=60.5"], False),
        (["data=folder", "data.root=x"], ['data.groups="^([a-z]+)_"'], True),
        (["data=folder", "data.root=x"], ["data.val_fraction=0.2"], True),
        (["train.schedule=constant"], ["train.warmup=0.3"], True),
        (["train.schedule=linear"], ["train.warmup=0.3"], False),
        (["cond=none"], ["train.p_uncond=0.3"], True),
        (["cond=concat"], ["train.p_uncond=0.3"], False),
        (["cond.mix=false"], ["cond.channels=32"], True),
        (["cond=sum", "cond.parts.concat.mix=false"], ["cond.parts.concat.channels=32"], True),
        (["cond=sum"], ["cond.parts.concat.channels=32"], False),
        (["encoder=facenet", "encoder.pretrained=false"], ["encoder.weights=casia-webface"], True),
        (["encoder=timm", "encoder.pretrained=false"], ["encoder.weights=mine.safetensors"], True),
        (["encoder=arcface", "encoder.pretrained=false"], ["encoder.weights=buffalo_s"], False),
        (["encoder=unet_ae", "encoder.weights=mine.safetensors"], ["encoder.pretrain_steps=3"], True),
        (["encoder=unet_ae", "encoder.pretrained=false"], ["encoder.weights=mine.safetensors"], True),
        (["method=grey"], ["data.limit=5", "eval.seed=3", "eval.seeds=2"], True),
        (["method=truth"], ["data.limit=5", "train.steps=3"], True),
        (["method=mean"], ["train.steps=3", "eval.seed=3"], True),
        (["method=regression"], ["eval.seed=3"], True),
        ([], ["eval.seed=3"], False),
    ],
)
def test_what_nothing_reads_and_how_a_number_is_written_changes_no_id(
    overrides: list[str], unread: list[str], same: bool
) -> None:
    one, other = (plain("metrics=[psnr]", *given) for given in (overrides, [*overrides, *unread]))
    assert (ids(one)[0] == ids(other)[0]) == same


@pytest.mark.parametrize("option", ["train.keep=best", "train.patience=3"])
def test_photos_and_looks_that_decide_what_is_kept_change_the_training(
    monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    usual, deciding = plain("metrics=[psnr]"), plain("metrics=[psnr]", option)
    assert differing(usual, usual, val="others") == (False, False, False)
    assert differing(deciding, deciding, val="others") == (True, True, False)
    before = ids(usual), ids(deciding)
    monkeypatch.setattr("zoo.training.validation.VERSION", 99)
    assert ids(usual) == before[0]
    assert ids(deciding)[:2] != before[1][:2]


@pytest.mark.parametrize(
    ("overrides", "budget", "course"),
    [
        ([], ["train.steps=9"], False),
        (["train.schedule=linear"], ["train.steps=9"], False),
        (["train.schedule=constant"], ["train.steps=9"], True),
        (["train.schedule=constant"], ["train.steps=null", "train.seconds=9"], True),
        (["train.schedule=constant"], ["train.lr=9"], False),
    ],
)
def test_trainings_of_a_constant_rate_are_the_same_as_far_as_they_go_whatever_their_budget(
    overrides: list[str], budget: list[str], course: bool
) -> None:
    manifests = {"train": "t", "eval": "e"}
    one, other = (
        identity.Identity(Spec.from_config(plain("metrics=[psnr]", *given)), manifests=manifests)
        for given in (overrides, [*overrides, *budget])
    )
    assert one.training_id != other.training_id
    assert (one.course_id == other.course_id) == course
    assert (one.any_budget_id == other.any_budget_id) == (budget != ["train.lr=9"])


def test_a_metric_more_changes_the_protocol_of_no_other() -> None:
    def protocol(*metrics: str) -> Mapping[str, Any]:
        spec = Spec.from_config(plain(f"metrics=[{','.join(metrics)}]"))
        return identity.Identity(spec, manifests={"train": "t", "eval": "e"}).protocols["psnr"]

    assert protocol("psnr") == protocol("psnr", "ssim")


@pytest.mark.parametrize("of", ["zoo.training.config.VERSION", "zoo.encoders.unet.UNetEncoder.version"])
def test_a_version_that_is_raised_is_another_training(
    config: dict[str, Any], monkeypatch: pytest.MonkeyPatch, of: str
) -> None:
    before = ids(config)
    monkeypatch.setattr(of, 99)
    assert [one != other for one, other in zip(before, ids(config))] == [True, True, False]


def test_the_order_in_which_options_are_written_is_no_option(config: dict[str, Any]) -> None:
    turned = {key: dict(reversed(x.items())) if isinstance(x, dict) else x for key, x in reversed(config.items())}
    assert ids(turned) == ids(config)


def test_the_version_of_a_metric_is_in_the_protocol(config: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    before = ids(config)
    monkeypatch.setattr(metrics.get("diversity"), "version", 99)
    assert ids(config)[2] != before[2]


def test_an_id_is_twelve_hex_digits(config: dict[str, Any]) -> None:
    for found in ids(config):
        assert re.fullmatch("[0-9a-f]{12}", found)
