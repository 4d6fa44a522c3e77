"""What makes a run, a training and a protocol another, and what does not: paths, machines, other encoders."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from support import composing
from support.ids import changed
from zoo import registry
from zoo.benchmark.config.plugins import CONFIGS, GROUPS
from zoo.benchmark.config.spec import Spec
from zoo.benchmark.runs import identity

plain = partial(composing.plain, "metrics=[psnr]")


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    return plain()


def test_a_number_of_hints_has_a_protocol_of_its_own_and_changes_no_other() -> None:
    def protocols(*overrides: str) -> dict[str, Any]:
        found = identity.Identity(Spec.from_config(plain(*overrides)), manifests={"train": "t", "eval": "e"})
        return {key: identity.protocol_id(value) for key, value in found.protocols.items()}

    few, many = protocols("eval.hints=[5]"), protocols("eval.hints=[0,5,20]")
    assert {key: many[key] for key in few} == few
    assert len({*many.values()}) == len(many) == 4


def run_id(config: dict[str, Any], manifest: str = "m", weights_sha: str | None = None) -> str:
    return identified(config, manifest, weights_sha).run_id


def identified(config: dict[str, Any], manifest: str = "m", weights_sha: str | None = None) -> identity.Identity:
    manifests = {"train": manifest, "eval": manifest}
    return identity.Identity(Spec.from_config(config), manifests=manifests, weights_sha=weights_sha)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("device", "cpu"),
        ("results_dir", "elsewhere"),
        ("cache_dir", "elsewhere"),
        ("table", "t.csv"),
        ("train.log", []),
        ("train.checkpoint_every", 7),
        ("train.feature_cache_gb", 0.0),
        ("eval.batch_size", 7),
    ],
)
def test_a_run_is_the_same_on_another_machine(config: dict[str, Any], name: str, value: Any) -> None:
    assert run_id(changed(config, {name: value})) == run_id(config)


def test_a_primary_metric_is_written_down_and_changes_no_id() -> None:
    none, named = plain(), plain("metrics.primary=psnr")
    spec = Spec.from_config(named)
    assert (Spec.from_config(none).primary, spec.primary) == (None, "psnr")
    assert Spec.from_config(spec.as_dict()) == spec
    assert identified(named).settings["metrics"]["primary"] == "psnr"
    assert (identified(named).run_id, identified(named).training_id) == (
        identified(none).run_id,
        identified(none).training_id,
    )
    assert identified(named).protocols == identified(none).protocols


@pytest.mark.parametrize(
    ("name", "value"),
    [("train.lr", 2e-3), ("seed", 1), ("sampler.steps", 9), ("image_size", 32), ("eval.seed", 1)],
)
def test_a_run_is_another_with_other_settings(config: dict[str, Any], name: str, value: Any) -> None:
    assert run_id(changed(config, {name: value})) != run_id(config)


def test_a_run_is_another_with_other_photos_or_weights(config: dict[str, Any]) -> None:
    assert len({run_id(config), run_id(config, manifest="n"), run_id(config, weights_sha="w")}) == 3


def test_neither_the_folder_of_photos_nor_the_path_of_weights_is_identity(tmp_path: Path) -> None:
    ids = set()
    for name in ("one", "two"):
        weights = tmp_path / name / "arcface.onnx"
        weights.parent.mkdir()
        config = plain("data=folder", f"data.root={weights.parent}", "encoder=arcface", f"encoder.weights={weights}")
        weights.write_bytes(b"the same")
        ids.add(run_id(config, weights_sha="w"))
    assert len(ids) == 1


def test_runs_that_only_sample_or_score_differently_share_their_training(config: dict[str, Any]) -> None:
    def training_id(config: dict[str, Any]) -> str:
        return identified(config).training_id

    assert training_id(changed(config, {"sampler.steps": 3})) == training_id(config)
    assert training_id(changed(config, {"eval.limit": 3})) == training_id(config)
    assert training_id(changed(config, {"train.steps": 3})) != training_id(config)


def test_scores_of_different_encoders_have_one_protocol_and_of_other_steps_another(config: dict[str, Any]) -> None:
    def protocol_id(config: dict[str, Any], manifest: str = "m") -> str:
        return identity.protocol_id(identified(config, manifest).protocols["psnr"])

    assert protocol_id(plain("encoder=unet", "cond=film", "train.steps=5")) == protocol_id(config)
    others = [changed(config, {"sampler.steps": 9}), changed(config, {"eval.seed": 1})]
    assert len({protocol_id(config), protocol_id(config, "n"), *map(protocol_id, others)}) == 4


def test_a_metric_of_a_new_version_is_another_protocol(config: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    before = identified(config).protocols["psnr"]
    monkeypatch.setattr(GROUPS["metrics"].get("psnr"), "version", 99)
    after = identified(config).protocols["psnr"]
    assert (before["metric"]["version"], after["metric"]["version"]) == (1, 99)
    assert identity.protocol_id(after) != identity.protocol_id(before)


def test_every_method_is_an_option_and_is_scored_alike_but_for_the_noise_and_the_sampler_that_it_does_not_have() -> (
    None
):
    names = sorted(file.stem for file in (CONFIGS / "method").glob("*.yaml"))
    assert names == registry.methods.list()
    configs = [plain(f"method={name}", *(["method.root=."] if name == "folder" else [])) for name in names]
    scored = [dict(identified(config).protocols["psnr"]) for config in configs]
    assert [bool(protocol.pop("sampler", None)) for protocol in scored] == [
        name in ("diffusion", "origin", "regression") for name in names
    ]
    for protocol in scored:
        protocol["eval"].pop("seed", None)
    assert all(protocol == scored[0] for protocol in scored)


def test_a_baseline_that_trains_nothing_is_one_run_whatever_the_pair_and_the_seed() -> None:
    others = ["encoder=none", "cond=film", "seed=1", "train.steps=3", "denoiser.width=32"]
    assert len({run_id(plain("method=grey", other)) for other in others}) == 1
    assert run_id(plain("method=grey")) != run_id(plain("method=mean"))
    scale = "denoiser.chroma_scale=2"
    assert run_id(plain("method=truth")) != run_id(plain("method=truth", scale))
    assert run_id(plain("method=grey")) == run_id(plain("method=grey", scale))
    assert run_id(plain("method=grey", "sampler.steps=3")) == run_id(plain("method=grey"))
    assert run_id(plain("method=grey", "eval.limit=3")) != run_id(plain("method=grey"))
