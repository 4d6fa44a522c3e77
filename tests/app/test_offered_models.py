"""Which models the page offers, and what it knows of them before they are read."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from support.models import TINY_DENOISER, tiny_model
from zoo import checkpoint as model_files
from zoo.app.checkpoints import Checkpoint, discover
from zoo.errors import ZooError
from zoo.tensor_file import FORMAT, FORMAT_VERSION, READABLE_VERSIONS


def test_a_checkpoint_is_known_by_its_header(checkpoint: Path) -> None:
    found = Checkpoint.read(checkpoint)
    stored = sum(tensor.numel() for tensor in tiny_model("unet", "film").stored_state().values())
    assert (found.name, found.encoder, found.cond, found.image_size) == ("small", "unet", "film", 16)
    assert found.parameters == stored


def test_a_checkpoint_says_whether_it_can_be_told_colors(checkpoint: Path, tmp_path: Path) -> None:
    model_files.save(tiny_model("none", "none", denoiser=TINY_DENOISER | {"hints": True}), tmp_path / "m.safetensors")
    assert Checkpoint.read(tmp_path / "m.safetensors").hints
    assert not Checkpoint.read(checkpoint).hints


@pytest.mark.parametrize("version", READABLE_VERSIONS)
def test_a_checkpoint_is_offered_in_each_version_that_can_be_read(tmp_path: Path, version: str) -> None:
    header = {"format": FORMAT, "version": version, "spec": json.dumps(tiny_model().spec)}
    save_file({"weight": np.zeros(1, np.float32)}, tmp_path / "old.safetensors", header)
    assert list(discover([tmp_path], bundled=(), runs=tmp_path / "none")) == ["old"]


def test_runs_are_named_by_their_folder_and_foreign_files_in_folders_are_passed_over(tmp_path: Path) -> None:
    for run in ("b", "a"):
        model_files.save(tiny_model(), tmp_path / run / "model.safetensors")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "model.safetensors").write_bytes(b"half a file")
    told: list[ZooError] = []
    assert list(discover(bundled=(), runs=tmp_path, on_skip=told.append)) == ["a", "b"]
    assert [str(tmp_path / "c") in str(error) for error in told] == [True]


SPEC = {"encoder": {"name": "unet"}, "cond": {"name": "film"}, "image_size": 16}


@pytest.mark.parametrize(
    "spec",
    [
        "[" * 100_000,
        "null",
        "[1]",
        json.dumps(SPEC | {"image_size": math.inf}),
        json.dumps(SPEC | {"image_size": "wide"}),
        json.dumps(SPEC | {"image_size": 10**30}),
        json.dumps(SPEC | {"encoder": "unet"}),
        json.dumps(SPEC | {"encoder": {"name": 7}}),
        json.dumps(SPEC | {"cond": {"name": "x" * 10_000}}),
        json.dumps(SPEC | {"cond": {"name": "two\nlines"}}),
        '{"encoder": {"name": "\\ud800"}, "cond": {"name": "film"}, "image_size": 16}',
    ],
)
def test_a_model_file_whose_header_is_nonsense_is_left_out_in_one_line(tmp_path: Path, spec: str) -> None:
    (tmp_path / "run").mkdir()
    header = {"format": FORMAT, "version": FORMAT_VERSION, "spec": spec}
    save_file({"weight": np.zeros(1, np.float32)}, tmp_path / "run" / "model.safetensors", header)
    model_files.save(tiny_model(), tmp_path / "good" / "model.safetensors")
    told: list[ZooError] = []
    assert list(discover(bundled=(), runs=tmp_path, on_skip=told.append)) == ["good"]
    assert len(told) == 1
    assert "\n" not in str(told[0])


def test_a_file_that_is_named_comes_first_and_is_listed_once(checkpoint: Path, tmp_path: Path) -> None:
    model_files.save(tiny_model(), tmp_path / "run" / "model.safetensors")
    names = list(discover([checkpoint, checkpoint], bundled=[checkpoint], runs=tmp_path))
    assert names == ["small", "run"]


def test_two_models_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for folder in ("x", "y"):
        model_files.save(tiny_model(), tmp_path / folder / "run" / "model.safetensors")
    assert len(discover([tmp_path / "x", tmp_path / "y"], bundled=(), runs=tmp_path / "none")) == 2


def test_a_named_file_must_be_a_model(tmp_path: Path) -> None:
    (tmp_path / "bad.safetensors").write_bytes(b"no tensors")
    with pytest.raises(ZooError, match="not a readable model file"):
        discover([tmp_path / "bad.safetensors"])
    with pytest.raises(ZooError, match="does not exist"):
        discover([tmp_path / "gone.safetensors"])


def test_a_model_is_read_again_only_when_its_file_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "one.safetensors"
    model_files.save(tiny_model(), path)
    first = Checkpoint.read(path).load("cpu")
    assert Checkpoint.read(path).load("cpu") is first
    model_files.save(tiny_model(seed=1), path)
    assert Checkpoint.read(path).load("cpu") is not first


def test_the_models_of_the_package_are_one_choice(checkpoint: Path, tmp_path: Path) -> None:
    other = tmp_path / "around.safetensors"
    other.write_bytes(checkpoint.read_bytes())
    alone, both = discover([checkpoint], bundled=[checkpoint, other], runs=tmp_path / "none").items()
    assert alone[0] == Checkpoint.read(checkpoint).name
    assert both[0] == f"{alone[0]} + around"
    assert both[1].parameters == 2 * alone[1].parameters
