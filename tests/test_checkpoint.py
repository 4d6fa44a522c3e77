"""A Colorizer's model comes from the package, a file, a folder or the Hub, and never from a pickle."""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

import zoo
from support.models import tiny_model
from support.scenes import photo_of, put_faces
from zoo import checkpoint
from zoo.errors import ZooError
from zoo.faces.detect import Face
from zoo.faces.framing import Box
from zoo.faces.viewport import Viewport
from zoo.onnx import export_onnx
from zoo.photos.colorizer import ColorizeOptions, Colorizer
from zoo.photos.photo import Photo


@pytest.fixture
def no_faces(monkeypatch: pytest.MonkeyPatch) -> None:
    put_faces(monkeypatch)


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    checkpoint.save(tiny_model(), tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


def test_a_file_is_loaded_and_described(no_faces: None, model_file: Path) -> None:
    colorizer = zoo.Colorizer.load(model_file, device="cpu")
    assert colorizer.info["encoder"] == "unet"
    assert colorizer.info["cond"] == "concat"
    assert colorizer.info["image_size"] == 16
    assert colorizer.info["parameters"] == sum(p.numel() for p in tiny_model().parameters())
    assert colorizer.colorize(photo_of(20, 20), steps=1).shape == (20, 20, 3)


def test_the_models_own_face_box_frames_the_faces(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    model = tiny_model()
    model.face_box = Box(-0.1, -0.2, 1.2)
    checkpoint.save(model, tmp_path / "model.safetensors")
    put_faces(monkeypatch, Viewport(-6 - 12j, 72 + 0j))  # as a photo of 60 pixels would have it
    colorizer = Colorizer.load(str(tmp_path / "model.safetensors"), device="cpu")
    (colored,) = colorizer.colorize_photos([Photo.from_array(photo_of(60, 60))], ColorizeOptions(steps=1))
    assert fills_photo(colored.faces[0], model.face_box)


def fills_photo(face: Face, face_box: Box) -> bool:
    viewport = face.viewport(face_box)
    return abs(viewport.origin) < 1e-6 and abs(viewport.edge - 60) < 1e-6


def test_without_a_model_in_the_package_the_error_asks_for_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("zoo.checkpoint.BUNDLED", (tmp_path / "faces128.safetensors",))
    with pytest.raises(ZooError, match="name a model file"):
        Colorizer.load()


def rewritten(path: Path, **changes: str) -> Path:
    """The model file with other metadata."""
    with safe_open(path, "pt") as file:
        metadata = file.metadata() | changes
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a dict
    save_file(tensors, path, metadata)
    return path


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ZooError, match=r"none\.safetensors does not exist"):
        Colorizer.load(tmp_path / "none.safetensors")


@pytest.mark.parametrize("name", ["model.pt", "model.ckpt", "model.safetensors"])
@pytest.mark.parametrize("kind", ["torch", "pickle"])
def test_a_pickle_is_never_loaded_whatever_its_name(tmp_path: Path, name: str, kind: str) -> None:
    path = tmp_path / name
    if kind == "torch":
        torch.save({"weight": torch.zeros(2)}, path)
    else:
        path.write_bytes(pickle.dumps({"weight": 1}))
    with pytest.raises(ZooError, match="pickle"):
        Colorizer.load(path)


def test_a_damaged_file_is_an_error(model_file: Path) -> None:
    model_file.write_bytes(model_file.read_bytes()[:-50])
    with pytest.raises(ZooError, match="not a readable safetensors file"):
        Colorizer.load(model_file)


def test_an_empty_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").touch()
    with pytest.raises(ZooError, match="not a readable safetensors file"):
        Colorizer.load(tmp_path / "model.safetensors")


def test_a_file_of_another_version_is_an_error(model_file: Path) -> None:
    with pytest.raises(ZooError, match="has format 99"):
        Colorizer.load(rewritten(model_file, version="99"))


def test_a_model_of_an_unknown_encoder_is_an_error(model_file: Path) -> None:
    spec = tiny_model().spec | {"encoder": {"name": "unknown_encoder"}}
    with pytest.raises(ZooError, match="unknown_encoder"):
        Colorizer.load(rewritten(model_file, spec=json.dumps(spec)))


@pytest.mark.parametrize("changes", [{"denoiser": {"depth": 3}}, {"cond": {}}, {"colour_space": "oklab"}])
def test_a_spec_that_asks_for_something_unknown_is_an_error(model_file: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(ZooError, match="its spec") as raised:
        Colorizer.load(rewritten(model_file, spec=json.dumps(tiny_model().spec | changes)))
    assert "\n" not in str(raised.value)


def test_a_device_that_is_not_there_is_an_error(model_file: Path) -> None:
    with pytest.raises(ZooError, match="device=quantum"):
        Colorizer.load(model_file, device="quantum")


def test_an_exported_model_colors_as_the_one_it_was_made_of(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model_file: Path
) -> None:
    pytest.importorskip("onnxruntime")
    put_faces(monkeypatch, Viewport(20 + 10j, 30 + 5j))
    export_onnx(tiny_model(), tmp_path / "exported")
    photo = photo_of(50, 90)
    exported = Colorizer.load(tmp_path / "exported").colorize(photo, steps=2, samples=2)
    for ours, theirs in zip(Colorizer.load(model_file, device="cpu").colorize(photo, steps=2, samples=2), exported):
        assert np.abs(ours.astype(int) - theirs).max() <= 1  # rounding


def test_a_folder_without_an_exported_model_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZooError, match=r"model\.json does not exist"):
        Colorizer.load(tmp_path)


def test_a_model_is_fetched_from_the_hub(monkeypatch: pytest.MonkeyPatch, model_file: Path) -> None:
    asked = []

    def fetch(repository: str, file: str, *, local_files_only: bool) -> str:
        asked.append((repository, file))
        return str(model_file)

    monkeypatch.setattr("huggingface_hub.hf_hub_download", fetch)
    Colorizer.load("hf://someone/faces", device="cpu")
    Colorizer.load("hf://someone/faces/small/b.safetensors", device="cpu")
    assert asked == [("someone/faces", "model.safetensors"), ("someone/faces", "small/b.safetensors")]


@pytest.mark.parametrize("source", ["hf://someone", "hf://", "hf://someone/faces/model.pt"])
def test_an_address_that_names_no_model_is_refused_before_the_hub_is_asked(
    monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.setattr("huggingface_hub.hf_hub_download", lambda *args: pytest.fail("asked the hub"))
    with pytest.raises(ZooError, match="expected"):
        Colorizer.load(source)


def test_offline_the_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub.errors import LocalEntryNotFoundError

    def fetch(repository: str, file: str, *, local_files_only: bool) -> str:
        raise LocalEntryNotFoundError("no network")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", fetch)
    with pytest.raises(ZooError, match="online"):
        Colorizer.load("hf://someone/faces")


def test_without_huggingface_hub_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ZooError, match="pip install huggingface_hub"):
        Colorizer.load("hf://someone/faces")
