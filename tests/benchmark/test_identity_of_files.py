"""What photos, weights and plug-ins are counts in the ids of a run, and where they lie does not."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from support.composing import plain
from support.ids import changed, differing, ids
from zoo.benchmark.config.spec import Spec
from zoo.benchmark.runs import identity
from zoo.metrics import _inception
from zoo.plugins import import_plugins
from zoo.registry import encoders


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    return plain("metrics=[psnr,diversity]", "sampler=ddim")


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
