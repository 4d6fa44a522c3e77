"""Every option of a run is in the ids that it must be in, and in no other.

A new option fails `test_every_option_is_looked_at` until someone has decided what it changes.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from support.composing import plain
from support.ids import ids
from zoo.benchmark.config.spec import Spec
from zoo.benchmark.runs import identity
from zoo.metrics import _inception
from zoo.plugins import import_plugins
from zoo.registry import encoders, metrics

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


def changed(config: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    config = deepcopy(config)
    for name, value in changes.items():
        *sections, key = name.split(".")
        node = config
        for section in sections:
            node = node[section]
        node[key] = value
    return config


def differing(config: dict[str, Any], other: dict[str, Any], **given: Any) -> tuple[bool, ...]:
    return tuple(a != b for a, b in zip(ids(config), ids(other, **given), strict=True))


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


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"train": "other"}, (True, True, False)),
        ({"scored": "other"}, (True, False, True)),
        ({"sha": "other"}, (True, True, False)),
    ],
)
def test_photos_and_weights_change_the_ids_that_depend_on_them(
    config: dict[str, Any], given: dict[str, str], expected: tuple[bool, ...]
) -> None:
    assert differing(config, config, **given) == expected


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


def test_a_file_that_has_the_name_of_a_model_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = plain("metrics=[psnr]", "encoder=timm")
    before = ids(config)
    monkeypatch.chdir(tmp_path)
    (tmp_path / config["encoder"]["model"]).write_text("anything")
    assert ids(config) == before


def test_weights_of_a_metric_count_by_what_they_hold_whatever_their_file_is_called(tmp_path: Path) -> None:
    (tmp_path / "inception").write_text("one")
    config = plain("metrics=[fid]", f"metrics.fid.weights={tmp_path}/inception")
    before = ids(config)
    (tmp_path / "inception").rename(tmp_path / "renamed")
    assert ids(plain("metrics=[fid]", f"metrics.fid.weights={tmp_path}/renamed")) == before
    (tmp_path / "renamed").write_text("other")
    assert ids(plain("metrics=[fid]", f"metrics.fid.weights={tmp_path}/renamed"))[2] != before[2]


@pytest.mark.parametrize(
    ("metric", "options", "file"),
    [
        ("identity", ["space=facenet", "weights=casia-webface"], "checkpoints/20180408-102900-casia-webface.pt"),
        ("fd", ["space=facenet"], "checkpoints/20180402-114759-vggface2.pt"),
        ("identity", [], "models/buffalo_l/w600k_r50.onnx"),
        ("fd", ["space=inception"], "hub/checkpoints/pt_inception-2015-12-05-6726825d.pth"),
        ("fid", [], "hub/checkpoints/pt_inception-2015-12-05-6726825d.pth"),
        ("kid", [], "hub/checkpoints/pt_inception-2015-12-05-6726825d.pth"),
        ("lpips", [], "hub/checkpoints/alexnet-owt-7be5be79.pth"),
        ("fd", ["space=dino"], "hub/checkpoints/timm--vit_small_patch14_reg4_dinov2.lvd142m.safetensors"),
        ("mmd", ["space=dino"], "hub/checkpoints/timm--vit_small_patch14_reg4_dinov2.lvd142m.safetensors"),
    ],
)
def test_weights_of_a_metric_that_lie_in_a_library_s_cache_count_by_what_they_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, metric: str, options: list[str], file: str
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("INSIGHTFACE_HOME", str(tmp_path))
    config = plain(f"metrics=[{metric}]", *(f"metrics.{metric}.{option}" for option in options))
    found = [ids(config)]
    (tmp_path / file).parent.mkdir(parents=True)
    for text in ("one", "other"):
        (tmp_path / file).write_text(text)
        found.append(ids(config))
    assert len({trained for _, trained, _ in found}) == 1
    assert len({scored for _, _, scored in found}) == 3


def test_published_weights_of_a_metric_are_the_same_before_and_after_they_are_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(_inception, "RECORD", replace(_inception.RECORD, sha256=sha256(b"published").hexdigest()[:8]))
    config = plain("metrics=[fid]")
    before = ids(config)
    _inception.RECORD.cached.parent.mkdir(parents=True)
    _inception.RECORD.cached.write_bytes(b"published")
    assert ids(config) == before


@pytest.mark.parametrize(
    ("metric", "options", "file", "suffix"),
    [
        ("identity", ["space=facenet", "weights=casia-webface"], "checkpoints/20180408-102900-casia-webface.pt", ".pt"),
        ("fd", ["space=facenet"], "checkpoints/20180402-114759-vggface2.pt", ".pt"),
        ("fd", ["space=arcface"], "models/buffalo_l/w600k_r50.onnx", ".onnx"),
        ("kid", [], "hub/checkpoints/pt_inception-2015-12-05-6726825d.pth", ".pth"),
        ("lpips", [], "hub/checkpoints/alexnet-owt-7be5be79.pth", ".pth"),
        (
            "fd",
            ["space=dino"],
            "hub/checkpoints/timm--vit_small_patch14_reg4_dinov2.lvd142m.safetensors",
            ".safetensors",
        ),
    ],
)
def test_a_name_and_a_path_that_lead_to_the_same_weights_are_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, metric: str, options: list[str], file: str, suffix: str
) -> None:
    for variable in ("TORCH_HOME", "INSIGHTFACE_HOME", "HF_HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    (tmp_path / file).parent.mkdir(parents=True)
    mine = tmp_path / f"mine{suffix}"
    for path in (tmp_path / file, mine):
        path.write_text("weights")
    named = ids(plain(f"metrics=[{metric}]", *(f"metrics.{metric}.{option}" for option in options)))
    own = [option for option in options if not option.startswith("weights=")] + [f"weights={mine}"]
    given = [f"metrics.{metric}.{option}" for option in own]
    assert ids(plain(f"metrics=[{metric}]", *given)) == named
    mine.write_text("others")
    assert ids(plain(f"metrics=[{metric}]", *given))[2] != named[2]


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


def test_groups_of_people_are_in_the_protocol_of_the_metrics_that_use_them() -> None:
    def protocols(groups: str) -> Mapping[str, Any]:
        given = ["metrics=[psnr,skin_tone]", "data=folder", "data.root=x", f'data.groups="{groups}"']
        return identity.Identity(Spec.from_config(plain(*given)), manifests={"train": "t", "eval": "e"}).protocols

    one, other = protocols("^([a-z]+)_"), protocols("^([A-Z]+)_")
    assert one["psnr"] == other["psnr"]
    assert one["skin_tone"] != other["skin_tone"]


def test_the_face_box_that_was_found_is_in_the_id() -> None:
    spec = Spec.from_config(plain("metrics=[psnr]", "data=folder", "data.root=x"))
    manifests = {"train": "t", "eval": "e"}

    def found(x: float, framed: bool = True) -> str:
        return identity.Identity(spec, manifests=manifests, find_face=lambda: (0.0, x, 1.0), framed=framed).training_id

    assert found(0.0) != found(0.1) == found(0.1)
    assert found(0.0, framed=False) == found(0.1, framed=False)


def test_the_face_box_that_a_metric_looks_at_is_in_its_protocol() -> None:
    spec = Spec.from_config(plain("metrics=[psnr,identity]", "data=folder", "data.root=x"))

    def found(x: float) -> Mapping[str, Any]:
        box = (0.0, x, 1.0)
        return identity.Identity(spec, manifests={"train": "t", "eval": "e"}, find_face=lambda: box).protocols

    assert found(0.0)["identity"] != found(0.1)["identity"]
    assert found(0.0)["psnr"] == found(0.1)["psnr"]


@pytest.mark.parametrize("of", ["zoo.training.config.VERSION", "zoo.encoders.unet.UNetEncoder.version"])
def test_a_version_that_is_raised_is_another_training(
    config: dict[str, Any], monkeypatch: pytest.MonkeyPatch, of: str
) -> None:
    before = ids(config)
    monkeypatch.setattr(of, 99)
    assert [one != other for one, other in zip(before, ids(config))] == [True, True, False]


PLUG_IN = """
import zoo
from beside_it import CHANNELS
from torch import nn

@zoo.register_encoder("edited")
class Edited(zoo.Encoder):
    def __init__(self) -> None:
        super().__init__(zoo.FeatureSpec((zoo.FeatureLevel(CHANNELS, 2),)))
"""


@pytest.mark.parametrize(("file", "differs"), [("mine.py", True), ("beside_it.py", True), ("unrelated.py", False)])
def test_a_plug_in_that_was_edited_is_another_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, differs: bool
) -> None:
    monkeypatch.setattr("sys.path", list(sys.path))
    for name, text in (("mine.py", PLUG_IN), ("beside_it.py", "CHANNELS = 6\n"), ("unrelated.py", "")):
        (tmp_path / name).write_text(text)
    monkeypatch.delitem(encoders._classes, "edited", raising=False)
    import_plugins([str(tmp_path / "mine.py")])
    try:
        config = changed(plain("metrics=[psnr]"), {"encoder": {"name": "edited"}})
        before = ids(config)
        (tmp_path / file).write_text((tmp_path / file).read_text() + "# edited\n")
        assert [one != other for one, other in zip(before, ids(config))] == [differs, differs, False]
    finally:
        encoders._classes.pop("edited")
        sys.modules.pop("beside_it", None)


def test_two_weights_are_two_runs(config: dict[str, Any]) -> None:
    one, other = (ids(config, sha=sha) for sha in ("a", "b"))
    assert one[:2] != other[:2]
    assert one[2] == other[2]


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


# files and groups


@pytest.fixture
def file_of(tmp_path: Path) -> Callable[[str, str], Path]:
    def write(folder: str, content: str) -> Path:
        path = tmp_path / folder / "inception.pth"
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
        return path

    return write


@pytest.mark.parametrize(("content", "differs"), [("the same", False), ("another", True)])
def test_a_file_that_an_option_names_counts_by_what_it_holds_and_not_by_its_path(
    file_of: Callable[[str, str], Path], content: str, differs: bool
) -> None:
    one, other = (
        plain("metrics=[fid]", f"metrics.fid.weights={file_of(folder, text)}")
        for folder, text in (("one", "the same"), ("other", content))
    )
    assert differing(one, other) == (differs, False, differs)


@pytest.mark.parametrize("groups", ["^([a-z]+)_", "^([A-Z]+)_"])
def test_groups_of_people_change_what_is_scored_and_not_what_is_trained(groups: str) -> None:
    folder = ["metrics=[skin_tone]", "data=folder", "data.root=somewhere"]
    usual, other = plain(*folder, 'data.groups="^([0-9]+)_"'), plain(*folder, f'data.groups="{groups}"')
    assert differing(usual, other)[:2] == (True, False)
    assert differing(plain(*folder), usual)[:2] == (True, False)


def test_photos_may_lie_in_another_folder() -> None:
    one, other = (plain("metrics=[psnr]", "data=folder", f"data.root={root}") for root in ("here", "there"))
    assert differing(one, other) == (False, False, False)
