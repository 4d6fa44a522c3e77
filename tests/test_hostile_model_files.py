"""A model file from a stranger: whatever is wrong with it is one line, told before anything large is made."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from support.models import TINY_DENOISER, tiny_model
from zoo import checkpoint
from zoo.errors import ZooError
from zoo.tensor_file import FORMAT, FORMAT_VERSION

BACK = {"conv_in": "enter", "conv_out": "leave", "downsample": "shrink", "upsample": "grow"}


def written(path: Path, spec: str | None = None, state: dict[str, torch.Tensor] | None = None, **metadata: str) -> Path:
    model = tiny_model()
    known = {"format": FORMAT, "version": FORMAT_VERSION, "spec": spec or json.dumps(model.spec), "encoder_sha256": ""}
    save_file(state or model.stored_state(), path, known | metadata)
    return path


def spec(**changes: Any) -> str:
    return json.dumps(tiny_model().spec | changes)


def nested(depth: int) -> str:
    return spec().replace('"diffusion": {}', '"diffusion": {"T": ' + "[" * depth + "]" * depth + "}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (nested(20), "nested too deeply"),
        (nested(100_000), "nested too deeply"),
        (spec(seed=float("nan")), "NaN is no number"),
        (spec(seed=float("inf")), "Infinity is no number"),
        (spec(seed=-1), "seed is -1"),
        (spec(seed=10**400), "number that is too large"),
        (spec(seed=True), "its seed is of another kind"),
        (spec(image_size="64"), "its image_size is of another kind"),
        (spec(image_size=16.0), "its image_size is of another kind"),
        (spec(image_size=2**20), "image_size is 1048576"),
        (spec(encoder={"name": "x" * 10_000}), "text of 10000 characters"),
        (spec(encoder={"name": "x" * 500}), "its encoder has no name"),
        (spec(encoder={"name": "un\net"}), "its encoder has no name"),
        (spec(encoder={"name": 7}), "its encoder has no name"),
        (spec(cond=[]), "its cond is of another kind"),
        (json.dumps([1, 2]), "expected encoder"),
        (json.dumps({str(i): i for i in range(5000)}), "too many values"),
        (spec(denoiser=TINY_DENOISER | {"width": 32.0}), "its spec"),
        (spec(denoiser=TINY_DENOISER | {"mults": ["a"]}), "its spec"),
        (spec(denoiser=TINY_DENOISER | {"mults": 3}), "its spec"),
        (spec(denoiser=TINY_DENOISER | {"blocks": 10**5}), "more than the file has tensors"),
        (spec(denoiser={"name": "dit", "depth": 10**5}), "more than the file has tensors"),
        (spec(denoiser=TINY_DENOISER | {"width": 2**40}), "too large"),
        (spec(denoiser=TINY_DENOISER | {"width": 640_000}), "damaged or edited"),
        (spec(encoder={"name": "unet", "width": 640_000, "mults": [1, 1]}), "damaged or edited"),
        (spec(encoder={"name": "timm", "model": "hf-hub:someone/model"}), "which is not fetched"),
        (spec(encoder={"name": "timm", "model": "https://example.org/a"}), "which is not fetched"),
    ],
)
def test_an_implausible_spec_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    path = written(tmp_path / "m.safetensors", text)
    with pytest.raises(ZooError, match=said) as raised:
        checkpoint.load(path)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 700


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(tmp_path: Path, value: float) -> None:
    state = {name: tensor.clone() for name, tensor in tiny_model().stored_state().items()}
    state["denoiser.conv_in.weight"][0, 0, 0, 0] = value
    with pytest.raises(ZooError, match=r"not finite, in 'denoiser\.conv_in\.weight'"):
        checkpoint.load(written(tmp_path / "m.safetensors", state=state))


def test_a_huge_net_is_refused_without_its_memory(tmp_path: Path) -> None:
    path = written(tmp_path / "m.safetensors", spec(denoiser=TINY_DENOISER | {"width": 32_000}))  # 200 GB of weights
    script = (
        "import resource, sys, zoo.checkpoint, zoo.encoders.unet, zoo.conditioners.concat\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: zoo.checkpoint.load(sys.argv[1])\n"
        "except zoo.errors.ZooError: pass\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    told = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)
    unit = 1024 if sys.platform != "darwin" else 1
    assert int(told.stdout) * unit < 200e6
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 0


@pytest.mark.parametrize("encoder", ["unet", "counting"])
def test_a_file_of_version_1_is_read_under_its_new_names(tmp_path: Path, encoder: str) -> None:
    model = tiny_model(encoder)
    state = {".".join(BACK.get(part, part) for part in name.split(".")): t for name, t in model.stored_state().items()}
    assert any(".grow." in name for name in state)
    path = written(tmp_path / "old.safetensors", json.dumps(model.spec), state, version="1")
    for name, tensor in checkpoint.load(path).state_dict().items():
        assert torch.equal(tensor, model.state_dict()[name]), name


def test_the_folder_of_a_run_is_taken_for_the_model_in_it(tmp_path: Path) -> None:
    checkpoint.save(tiny_model(), tmp_path / "run" / "model.safetensors")
    assert checkpoint.load(tmp_path / "run").spec == tiny_model().spec
    opened, _ = checkpoint.open_model(tmp_path / "run", "cpu", None)
    assert opened.spec == tiny_model().spec


def test_offline_holds_for_the_hub_too(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub.errors import LocalEntryNotFoundError

    asked: list[bool] = []

    def fetch(repository: str, file: str, *, local_files_only: bool) -> str:
        asked.append(local_files_only)
        raise LocalEntryNotFoundError("not here")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", fetch)
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    with pytest.raises(ZooError, match="ZOO_OFFLINE forbids it"):
        checkpoint.open_model("hf://someone/faces", "cpu", None)
    assert asked == [True]


def damaged(content: bytes, seed: int) -> bytes:
    """Some bytes changed, mostly in the header, or the end cut off."""
    rng = np.random.default_rng(seed)
    data = bytearray(content)
    end = int.from_bytes(content[:8], "little") + 8 if rng.random() < 0.8 else len(data)
    for place in rng.integers(0, end, rng.integers(1, 8)):
        data[place] = rng.integers(256)
    return bytes(data[: rng.integers(1, len(data))] if rng.random() < 0.2 else data)


def read_damaged(tmp_path: Path, seeds: range) -> None:
    content = written(tmp_path / "whole.safetensors").read_bytes()
    path = tmp_path / "m.safetensors"
    for seed in seeds:
        path.write_bytes(damaged(content, seed))
        try:
            model = checkpoint.load(path)
        except ZooError as error:
            assert "\n" not in str(error), seed  # noqa: PT017  # most are refused, some bytes do not matter
        else:
            assert all(bool(tensor.isfinite().all()) for tensor in model.state_dict().values()), seed


def test_a_damaged_model_file_is_one_line_or_sound(tmp_path: Path) -> None:
    read_damaged(tmp_path, range(100))


@pytest.mark.long
def test_two_thousand_damaged_model_files_are_one_line_or_sound(tmp_path: Path) -> None:
    read_damaged(tmp_path, range(100, 2100))
