"""The configuration: every group composes, every wrong value is one clear line, and identity holds no paths."""

from __future__ import annotations

import inspect
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from support import composing
from zoo import checkpoint, registry
from zoo.benchmark.config.labels import label
from zoo.benchmark.config.plugins import CONFIGS, GROUPS
from zoo.benchmark.config.spec import Spec
from zoo.benchmark.runs import identity
from zoo.errors import ZooError
from zoo.training.starting import start_from

plain = partial(composing.plain, "metrics=[psnr]")


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    return plain()


def changed(config: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    copy = deepcopy(config)
    *sections, key = name.split(".")
    node = copy
    for section in sections:
        node = node[section]
    node[key] = value
    return copy


_NEEDED = {"mix": ["data.parts={a: {name: synthetic}}"]}  # of data sets without a root


@pytest.mark.parametrize("group", ["encoder", "cond", "data", "metrics"])
def test_every_option_of_a_group_fits_the_class_that_it_configures(group: str) -> None:
    for file in sorted((CONFIGS / group).glob("*.yaml")):
        root = _NEEDED.get(file.stem, ["data.root=."]) if group == "data" and "???" in file.read_text() else []
        spec = Spec.from_config(plain(f"{group}={file.stem}", *root))
        chosen = spec.metrics[file.stem] if group == "metrics" else getattr(spec, group)
        assert chosen.name == file.stem


@pytest.mark.parametrize("group", ["encoder", "cond", "data", "metrics"])
def test_every_option_of_a_class_can_be_given_on_the_command_line(group: str) -> None:
    for file in sorted((CONFIGS / group).glob("*.yaml")):
        node = yaml.safe_load(file.read_text())
        node = node[file.stem] if group == "metrics" else node
        known = inspect.signature(GROUPS[group].get(node["name"])).parameters
        assert set(known) - {"spec", "denoiser_levels"} <= set(node), file


@pytest.mark.parametrize("group", list(GROUPS))
def test_every_built_in_name_has_its_file(group: str) -> None:
    assert set(GROUPS[group]._builtins) <= {file.stem for file in (CONFIGS / group).glob("*.yaml")}


PRESETS = [file.stem for file in sorted((CONFIGS / "preset").glob("*.yaml"))]


@pytest.mark.parametrize("preset", [name for name in PRESETS if name != "finetune"])  # which is about one network
@pytest.mark.parametrize("encoder", ["none", "unet"])
def test_every_preset_is_valid_with_any_encoder(preset: str, encoder: str) -> None:
    assert Spec.from_config(plain(f"preset={preset}", f"encoder={encoder}")).encoder.name == encoder


def test_the_preset_for_ones_own_photos_is_the_network_of_the_package_and_goes_by_looks() -> None:
    spec = Spec.from_config(plain("preset=finetune", "data=folder", "data.root=photos"))
    model, bundled = spec.build_model(), checkpoint.load(checkpoint.bundled()[0])
    assert spec.train.init == "bundled"
    start_from(model, spec.train.init)
    assert model.image_size == bundled.image_size
    assert model.diffusion == bundled.diffusion
    assert spec.train.keep == "best"
    other = Spec.from_config(plain("preset=finetune", "cond.channels=16")).build_model()
    with pytest.raises(ZooError, match=r"has cond\.channels=32, but 16 is asked for; only the same network"):
        start_from(other, "bundled")


def test_hints_are_scored_at_each_number_by_the_metrics_that_are_chosen() -> None:
    spec = Spec.from_config(plain("eval.hints=[0,5]", "metrics=[psnr,ssim]", "+metrics.five={name: ssim, hints: 5}"))
    assert {key: metric.hints for key, metric in spec.metrics.items()} == {
        "psnr": None,
        "ssim": None,
        "five": 5,
        "psnr@0": 0,
        "psnr@5": 5,
    }
    assert {metric.hints for metric in spec.open_metrics().values()} == {None, 0, 5}
    again = spec.as_dict()
    assert Spec.from_config(again) == spec


def test_a_number_of_hints_has_a_protocol_of_its_own_and_changes_no_other() -> None:
    def protocols(*overrides: str) -> dict[str, Any]:
        found = identity.Identity(Spec.from_config(plain(*overrides)), manifests={"train": "t", "eval": "e"})
        return {key: identity.protocol_id(value) for key, value in found.protocols.items()}

    few, many = protocols("eval.hints=[5]"), protocols("eval.hints=[0,5,20]")
    assert {key: many[key] for key in few} == few
    assert len({*many.values()}) == len(many) == 4


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["eval.hints=5"], "different numbers of places"),
        (["eval.hints=[5,5]"], "different numbers of places"),
        (["eval.hints=[-1]"], "different numbers of places"),
        (["eval.hints=[5]", "metrics=[ssim]"], "eval.hints is for psnr and st_lpips"),
        (["+metrics.psnr.hints=-1"], "metrics.psnr.hints must lie in"),
        (["metrics.primary=psnr@7", "eval.hints=[5]"], "did you mean 'psnr@5'"),
    ],
)
def test_a_wrong_number_of_hints_is_one_line(overrides: list[str], said: str) -> None:
    with pytest.raises(ZooError, match=said.replace("[", r"\[")):
        Spec.from_config(plain(*overrides))


def test_a_preset_changes_groups_and_the_command_line_has_the_last_word() -> None:
    spec = Spec.from_config(plain("preset=origin", "sampler=ddim", "denoiser.width=32"))
    assert (spec.diffusion.parameterisation, spec.diffusion.T) == ("eps", 350)
    assert (spec.sampler.name, spec.denoiser["width"]) == ("ddim", 32)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("imagesize", 64, "unknown option 'imagesize'; did you mean 'image_size'?"),
        ("image_size", 66, "try image_size=64"),
        ("image_size", 64.0, "image_size must be an integer"),
        ("seed", -1, "seed must lie in [0, inf)"),
        ("device", "tpu", "device must be auto, cpu, mps, cuda"),
        ("train", "fast", "train must be one of its group's options"),
        ("train.lr", -1e-3, "train.lr must be greater than 0"),
        ("train.lr", "fast", "train.lr must be a number, not 'fast'"),
        ("train.stepz", 3, "unknown option 'train.stepz'; did you mean 'train.steps'?"),
        ("train.seconds", 60, "train.steps and seconds: give exactly one"),
        ("train.p_uncond", 1.5, "train.p_uncond must lie in"),
        ("train.flip", 1, "train.flip must be true or false"),
        ("train.log", ["csv"], "train.log knows tensorboard and wandb, not 'csv'"),
        ("eval.split", "tset", "eval.split must be"),
        ("eval.limit", 0, "eval.limit must be at least 1"),
        ("data.limit", 0, "data.limit must lie in [1, inf)"),
        ("sampler.name", "ddimm", "unknown sampler 'ddimm'; did you mean 'ddim'?"),
        ("sampler.steps", 0, "sampler.steps must be at least 1"),
        ("diffusion.schedule", "cosin", "diffusion.schedule: unknown schedule 'cosin'; did you mean 'cosine'?"),
        ("diffusion.T", 0, "diffusion.T must be at least 1"),
        ("diffusion.schedule", "none", "diffusion.schedule: none is regression"),
        ("method", "gray", "unknown method 'gray'; did you mean 'grey'?"),
        ("denoiser.width", 50, "width must be a multiple of 32"),
        ("denoiser.mults", [1, "2"], "denoiser.mults must be a list of an integer"),
        ("denoiser.extra", [1], "unknown option 'denoiser.extra'"),
        ("encoder.name", "arcfase", "unknown encoder 'arcfase'; did you mean 'arcface'?"),
        ("encoder.widht", 3, "did you mean 'encoder.width'"),
        ("cond.spec", 3, "unknown option 'cond.spec'"),
        ("metrics", {}, "metrics is empty"),
        ("metrics", {"primary": None}, "metrics is empty"),
        ("metrics.psnr", 3, "metrics.psnr must be"),
        ("metrics.primary", "psrn", "metrics.primary: unknown score 'psrn'; did you mean 'psnr'?"),
        ("metrics.primary", "ssim", "metrics.primary: unknown score 'ssim'"),
        ("metrics.primary", 3, "metrics.primary must be text or null, not 3"),
    ],
)
def test_a_wrong_value_is_one_clear_line(config: dict[str, Any], name: str, value: Any, said: str) -> None:
    with pytest.raises(ZooError) as raised:
        Spec.from_config(changed(config, name, value))
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_what_was_written_down_is_read_back(config: dict[str, Any]) -> None:
    spec = Spec.from_config(config)
    assert Spec.from_config(spec.as_dict()) == spec


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
    assert run_id(changed(config, name, value)) == run_id(config)


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


def test_a_primary_metric_is_named_as_its_score_is() -> None:
    assert Spec.from_config(plain("metrics=[psnr,fd]", "metrics.primary=fd_st_lpips")).primary == "fd_st_lpips"
    with pytest.raises(ZooError, match="Available: fd_st_lpips, psnr"):
        Spec.from_config(plain("metrics=[psnr,fd]", "metrics.primary=fd"))


@pytest.mark.parametrize(
    ("name", "value"),
    [("train.lr", 2e-3), ("seed", 1), ("sampler.steps", 9), ("image_size", 32), ("eval.seed", 1)],
)
def test_a_run_is_another_with_other_settings(config: dict[str, Any], name: str, value: Any) -> None:
    assert run_id(changed(config, name, value)) != run_id(config)


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

    assert training_id(changed(config, "sampler.steps", 3)) == training_id(config)
    assert training_id(changed(config, "eval.limit", 3)) == training_id(config)
    assert training_id(changed(config, "train.steps", 3)) != training_id(config)


def test_scores_of_different_encoders_have_one_protocol_and_of_other_steps_another(config: dict[str, Any]) -> None:
    def protocol_id(config: dict[str, Any], manifest: str = "m") -> str:
        return identity.protocol_id(identified(config, manifest).protocols["psnr"])

    assert protocol_id(plain("encoder=unet", "cond=film", "train.steps=5")) == protocol_id(config)
    others = [changed(config, "sampler.steps", 9), changed(config, "eval.seed", 1)]
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


def test_the_original_is_the_same_network_under_any_preset_and_with_its_own_sampler_in_its_preset() -> None:
    original = Spec.from_config(plain("preset=origin"))
    assert (original.method, original.sampler.name, original.denoiser["name"]) == ("origin", "ddpm", "origin")
    beside = Spec.from_config(plain("method=origin", "preset=bundled"))
    assert (beside.denoiser, beside.diffusion) == (original.denoiser, original.diffusion)
    assert beside.sampler.name == "deis"


def test_a_baseline_that_trains_nothing_is_one_run_whatever_the_pair_and_the_seed() -> None:
    others = ["encoder=none", "cond=film", "seed=1", "train.steps=3", "denoiser.width=32"]
    assert len({run_id(plain("method=grey", other)) for other in others}) == 1
    assert run_id(plain("method=grey")) != run_id(plain("method=mean"))
    scale = "denoiser.chroma_scale=2"
    assert run_id(plain("method=truth")) != run_id(plain("method=truth", scale))
    assert run_id(plain("method=grey")) == run_id(plain("method=grey", scale))
    assert run_id(plain("method=grey", "sampler.steps=3")) == run_id(plain("method=grey"))
    assert run_id(plain("method=grey", "eval.limit=3")) != run_id(plain("method=grey"))


@pytest.mark.parametrize("overrides", [["diffusion=regression"], ["method=regression", "diffusion=v_cosine"]])
def test_regression_is_one_thing_and_not_two(overrides: list[str]) -> None:
    with pytest.raises(ZooError, match="give method=regression alone"):
        Spec.from_config(plain(*overrides))


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["encoder=unet"], "unet"),
        (["encoder=unet", "denoiser.width=96"], "unet"),
        (["encoder=unet", "encoder.width=32"], "unet(width=32)"),
        (["encoder=arcface", "encoder.weights=some.onnx"], "arcface"),
        (["encoder=unet", "encoder.weights=somewhere/ae.safetensors"], "unet(weights=ae.safetensors)"),
        (["encoder=timm", "encoder.model=resnet50.a1_in1k"], "timm(model=resnet50.a1_in1k)"),
        (["encoder=unet_ae", "encoder.noise_std=0.1"], "unet_ae"),
        (
            ["encoder=unet_ae", "encoder.noise_std=0.1", "encoder.objective=denoising"],
            "unet_ae(noise_std=0.1, objective=denoising)",
        ),
        (["encoder=facenet", "encoder.pretrained=false", "encoder.weights=own.pt"], "facenet(pretrained=False)"),
    ],
)
def test_a_label_names_what_is_not_as_usual(overrides: list[str], expected: str) -> None:
    assert label(composing.composed("metrics=[psnr]", *overrides), "encoder") == expected
