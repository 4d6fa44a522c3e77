"""The configuration: every group composes, and every wrong value is one clear line."""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any

import pytest
import yaml

from support import composing
from support.ids import changed
from zoo import checkpoint
from zoo.benchmark.config.labels import label
from zoo.benchmark.config.plugins import CONFIGS, GROUPS
from zoo.benchmark.config.spec import Spec
from zoo.benchmark.runs.specified import specified
from zoo.errors import ZooError
from zoo.training.starting import start_from

plain = partial(composing.plain, "metrics=[psnr]")


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    return plain()


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
    with pytest.raises(ZooError, match=r"has cond\.channels=32, but 16 is asked for: only the same network"):
        start_from(other, "bundled")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["cond=xattn"], "train.init=bundled has cond=concat, but cond=xattn is asked for"),
        (["encoder=arcface", "cond=film"], "has encoder=unet cond=concat, but encoder=arcface cond=film is asked for"),
        (["denoiser=dit"], "has denoiser=unet, but denoiser=dit is asked for"),
        (["train.init=gone.safetensors"], "train.init=gone.safetensors: checkpoint gone.safetensors does not exist"),
    ],
)
def test_what_contradicts_the_model_that_training_starts_from_is_told_and_not_the_presets_options(
    given: list[str], said: str
) -> None:
    with pytest.raises(ZooError) as told:
        specified(composing.composed("preset=finetune", "data=synthetic", "device=cpu", *given))
    assert said in str(told.value)
    assert ("or train a new one without init" in str(told.value)) == ("gone" not in said)
    assert "\n" not in str(told.value)


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
        Spec.from_config(changed(config, {name: value}))
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_what_was_written_down_is_read_back(config: dict[str, Any]) -> None:
    spec = Spec.from_config(config)
    assert Spec.from_config(spec.as_dict()) == spec


def test_a_primary_metric_is_named_as_its_score_is() -> None:
    assert Spec.from_config(plain("metrics=[psnr,fd]", "metrics.primary=fd_st_lpips")).primary == "fd_st_lpips"
    with pytest.raises(ZooError, match="Available: fd_st_lpips, psnr"):
        Spec.from_config(plain("metrics=[psnr,fd]", "metrics.primary=fd"))


def test_the_original_is_the_same_network_under_any_preset_and_with_its_own_sampler_in_its_preset() -> None:
    original = Spec.from_config(plain("preset=origin"))
    assert (original.method, original.sampler.name, original.denoiser["name"]) == ("origin", "ddpm", "origin")
    beside = Spec.from_config(plain("method=origin", "preset=bundled"))
    assert (beside.denoiser, beside.diffusion) == (original.denoiser, original.diffusion)
    assert beside.sampler.name == "deis"


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
        (["encoder=facenet", "encoder.adapted=false"], "facenet"),
        (
            ["encoder=timm", "encoder.pretrained=false", "encoder.adapted=false"],
            "timm(adapted=False, pretrained=False)",
        ),
    ],
)
def test_a_label_names_what_is_not_as_usual(overrides: list[str], expected: str) -> None:
    assert label(composing.composed("metrics=[psnr]", *overrides), "encoder") == expected
