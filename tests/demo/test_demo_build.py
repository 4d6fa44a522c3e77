"""What docs/demo/build.py puts together."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import numpy_helper

from support.demo import DEMO, build_module
from support.models import tiny_model
from zoo import checkpoint
from zoo.errors import ZooError
from zoo.onnx import DENOISER, export_onnx
from zoo.photos.trust import STRENGTH

build = build_module()


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that looks like the package's."""
    folder = tmp_path_factory.mktemp("dist")
    for name in (build.SCRIPT, build.WASM, "ort.all.mjs"):
        (folder / name).write_bytes(name.encode())
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    checkpoint.save(tiny_model("unet", "concat"), path, half=True)
    return path


@pytest.fixture(scope="module")
def written(model: Path, runtime: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path]]:
    """The folder, and what it was said to hold."""
    folder = tmp_path_factory.mktemp("out") / "demo"
    return folder, build.build(folder, runtime, (model, model))


def test_the_folder_holds_page_models_and_runtime_and_nothing_else(written: tuple[Path, list[Path]]) -> None:
    folder, said = written
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert there == {str(path.relative_to(folder)) for path in said}
    models = {f"models/{role}/{name}.onnx" for role in ("faces", "around") for name in ("encoder", "denoiser")}
    page = {path.name for path in DEMO.iterdir() if path.suffix in (".html", ".css", ".js", ".txt")}
    models |= {"models/about.json", "models/centerface.onnx"}
    assert there == page | models | {f"runtime/{build.SCRIPT}", f"runtime/{build.WASM}"}
    assert (folder / "runtime" / build.WASM).read_bytes() == build.WASM.encode()


def test_the_page_is_told_how_the_library_colors(written: tuple[Path, list[Path]], model: Path) -> None:
    about = json.loads((written[0] / "models" / "about.json").read_text())
    assert about["options"]["strength"] == STRENGTH
    assert about["faces"]["says"] == "v"
    assert about["faces"]["files"] == ["faces/encoder.onnx", "faces/denoiser.onnx"]
    assert about["around"]["ab_std"] == checkpoint.load(model).ab_std.flatten().tolist()


def test_weights_in_half_the_room_are_the_numbers_of_a_model_file_in_float16(tmp_path: Path) -> None:
    model = tiny_model("none", "none")
    with torch.no_grad():
        for parameter in model.parameters():  # the last layer starts at 0 and would hide everything
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0)))
    checkpoint.save(model, tmp_path / "tiny.safetensors", half=True)
    export_onnx(checkpoint.load(tmp_path / "tiny.safetensors"), tmp_path)
    graph, half = onnx.load(tmp_path / DENOISER), build.halved(onnx.load(tmp_path / DENOISER))
    onnx.checker.check_model(half)
    kinds = {numpy_helper.to_array(tensor).dtype for tensor in half.graph.initializer if np.prod(tensor.dims) >= 256}
    assert kinds == {np.dtype(np.float16)}
    assert half.ByteSize() < 0.65 * graph.ByteSize()  # of a tiny model the graph itself is a good part
    noise = torch.randn(1, 2, 4, 6, generator=torch.Generator().manual_seed(0)).numpy()
    feed = {"x": noise, "L": np.full((1, 1, 16, 24), 0.3, np.float32), "t": np.array([0.7], np.float32)}
    said = [
        onnxruntime.InferenceSession(each.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, feed)[0]
        for each in (graph, half)
    ]
    assert (said[0] == said[1]).all()
    assert np.abs(said[0]).max() > 0


def test_a_folder_without_the_runtime_is_named_before_anything_is_written(model: Path, tmp_path: Path) -> None:
    with pytest.raises(ZooError, match=rf"{tmp_path} has no {build.SCRIPT}.*npm install --prefix docs/demo"):
        build.build(tmp_path / "out", tmp_path, (model, model))
    assert not (tmp_path / "out").exists()


def test_a_model_that_the_page_cannot_run_is_refused(runtime: Path, tmp_path: Path) -> None:
    path = tmp_path / "linear.safetensors"
    checkpoint.save(tiny_model("none", "none", diffusion={"schedule": "linear"}), path)
    with pytest.raises(ZooError, match=r"linear\.safetensors.*cosine"):
        build.build(tmp_path / "out", runtime, (path, path))


def test_the_script_refuses_a_folder_that_is_there_in_one_line(
    runtime: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["build.py", str(tmp_path), "--runtime", str(runtime)])
    assert build.main() == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert f"{tmp_path} exists already" in error
    assert "Traceback" not in error
    assert list(tmp_path.iterdir()) == []
