"""ONNX graphs colour as the model they were made from."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from support.models import TINY_DENOISER, TINY_DIT
from zoo import checkpoint
from zoo.commands import export
from zoo.conditioners import _project
from zoo.diffusion.hints import Known
from zoo.diffusion.samplers import SamplerConfig
from zoo.errors import ZooError
from zoo.faces.framing import WHOLE, Box
from zoo.model import ColorDiffusion
from zoo.onnx import DENOISER, ENCODER, SPEC, OnnxColorDiffusion, export_onnx


def model_of(encoder: dict, cond: str, denoiser: dict[str, Any] | None = None, **options: int) -> ColorDiffusion:
    """Nothing of it is zero, as after training."""
    denoiser = (denoiser or TINY_DENOISER) | options
    model = ColorDiffusion(encoder=encoder, cond={"name": cond}, denoiser=denoiser, image_size=16)
    rng = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_((parameter == 0) * 0.1 * torch.randn(parameter.shape, generator=rng))
    model.ab_mean += 0.1
    model.face_box = Box(-0.1, -0.2, 1.2)
    return model.eval()


def colors(
    model: ColorDiffusion | OnnxColorDiffusion,
    n: int,
    size: tuple[int, int],
    box: Box = WHOLE,
    guidance: float = 1.0,
    hints: Known | None = None,
) -> torch.Tensor:
    rng = torch.Generator().manual_seed(n)
    L = torch.rand(n, 1, *size, generator=rng) * 2 - 1
    side = model.encoder.spec.input_size
    view = L if side is None else torch.rand(n, 1, side, side, generator=rng) * 2 - 1
    generators = [torch.Generator().manual_seed(i) for i in range(n)]
    with torch.no_grad():
        return model.colorize(
            L,
            model.encode(view, box),  # type: ignore[arg-type]
            SamplerConfig(steps=2, guidance=guidance),
            generators,
            hints=hints,
        )


@pytest.mark.parametrize("cond", ["none", "concat", "xattn", "film"])
@pytest.mark.parametrize("name", ["unet", "none", "arcface"])
def test_graphs_agree_with_torch_at_any_batch_and_size(name: str, cond: str, tiny: Path, tmp_path: Path) -> None:
    options = {
        "unet": {"width": 32, "mults": [1, 1]},
        "none": {},
        "arcface": {"weights": str(tiny), "pretrained": False},
    }
    model = model_of({"name": name, **options[name]}, cond)
    export_onnx(model, tmp_path)
    graphs = OnnxColorDiffusion.load(tmp_path)
    box = WHOLE if name == "unet" else Box(-0.1, -0.2, 1.2)
    for n, size, guidance in ((1, (16, 16), 1.0), (3, (24, 40), 1.5)):
        expected = colors(model, n, size, box, guidance)
        assert expected.std() > 0.01
        torch.testing.assert_close(colors(graphs, n, size, box, guidance), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("chroma_scale", "patch"), [(1, 2), (2, 1)])
def test_graphs_agree_with_torch_at_any_chroma_resolution(chroma_scale: int, patch: int, tmp_path: Path) -> None:
    model = model_of({"name": "none"}, "none", chroma_scale=chroma_scale, patch=patch)
    export_onnx(model, tmp_path)
    expected = colors(model, 2, (16, 24))
    torch.testing.assert_close(colors(OnnxColorDiffusion.load(tmp_path), 2, (16, 24)), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("cond", ["none", "film"])
def test_graphs_are_told_colours_as_torch_is(cond: str, tmp_path: Path) -> None:
    model = model_of({"name": "unet", "width": 32, "mults": [1, 1]}, cond, hints=True)
    export_onnx(model, tmp_path)
    graphs = OnnxColorDiffusion.load(tmp_path)
    assert graphs.hints
    for n, size in ((1, (16, 16)), (3, (24, 40))):
        mask = torch.zeros(n, 1, size[0] // 4, size[1] // 4)
        mask[..., 1:3, 2] = 1
        told = torch.full((n, 2, *mask.shape[-2:]), 0.3), mask
        expected = colors(model, n, size, hints=told)
        torch.testing.assert_close(colors(graphs, n, size, hints=told), expected, rtol=1e-4, atol=1e-5)
        plain = colors(model, n, size)
        torch.testing.assert_close(colors(graphs, n, size), plain, rtol=1e-4, atol=1e-5)
        assert (expected - plain).abs().max() > 0.01


@pytest.mark.parametrize("cond", ["concat", "xattn"])
def test_graphs_of_a_transformer_agree_with_torch(cond: str, tmp_path: Path) -> None:
    model = model_of({"name": "unet", "width": 32, "mults": [1, 1]}, cond, TINY_DIT, hints=cond == "concat")
    export_onnx(model, tmp_path)
    graphs = OnnxColorDiffusion.load(tmp_path)
    for n, size in ((1, (16, 16)), (3, (24, 40))):
        expected = colors(model, n, size)
        assert expected.std() > 0.01
        torch.testing.assert_close(colors(graphs, n, size), expected, rtol=1e-4, atol=1e-5)


def test_what_framing_needs_is_kept(tiny: Path, tmp_path: Path) -> None:
    model = model_of({"name": "arcface", "weights": str(tiny), "pretrained": False}, "concat")
    export_onnx(model, tmp_path)
    graphs = OnnxColorDiffusion.load(tmp_path)
    assert (graphs.face_box, graphs.image_size) == (model.face_box, 16)
    assert graphs.encoder.frame == model.encoder.frame
    assert graphs.encoder.spec.input_size == model.encoder.spec.input_size
    assert graphs.parameter_counts() == model.parameter_counts()


@pytest.mark.parametrize(
    ("before", "after"), [((7, 5), (3, 4)), ((8, 8), (4, 4)), ((4, 4), (9, 6)), ((5, 8), (5, 3)), ((4, 9), (8, 3))]
)
def test_resizing_by_matrices_is_resizing(before: tuple[int, int], after: tuple[int, int]) -> None:
    x = torch.randn(2, 3, *before, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(_project._resize_by_matrices(x, after), _project.resize(x, after))


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    export_onnx(model_of({"name": "none"}, "none"), folder)
    return folder


@pytest.mark.parametrize(
    "changes",
    [
        {"ab_mean": None},
        {"ab_mean": [0.1]},
        {"ab_std": {"a": 1}},
        {"ab_std": [1, "x" * 5000]},
        {"face_box": [1, 2]},
        {"encoder_input_size": 0},
        {"encoder_input_size": "64"},
        {"parameters": {"params": []}},
        {"uses_encoder": 1},
        {"license": ["x" * 900]},
        {"spec": [1]},
        {"spec": {"image_size": 2**30, "denoiser": {}, "diffusion": {}}},
        {"spec": {"image_size": 64, "denoiser": {}, "diffusion": {"x" * 900: 1}}},
        {"format": "x" * 900},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_hostile_description_is_one_line(exported: Path, tmp_path: Path, changes: dict[str, object]) -> None:
    for file in exported.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    about = json.loads((exported / SPEC).read_text())
    (tmp_path / SPEC).write_text(json.dumps(about | changes))
    with pytest.raises(ZooError) as raised:
        OnnxColorDiffusion.load(tmp_path)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 500


def test_graphs_whose_numbers_are_not_finite_colour_nothing(exported: Path) -> None:
    model = OnnxColorDiffusion.load(exported)
    with pytest.raises(ZooError, match="not finite"):
        model.colorize(
            torch.full((1, 1, 64, 64), torch.nan),
            model.encode(torch.zeros(1, 1, 64, 64)),
            SamplerConfig("ddim", steps=1),
            [torch.Generator()],
        )


def test_files_that_are_missing_or_of_another_kind_are_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ZooError, match=r"model\.json does not exist"):
        OnnxColorDiffusion.load(tmp_path)
    export_onnx(model_of({"name": "none"}, "concat"), tmp_path)
    about = json.loads((tmp_path / SPEC).read_text())
    (tmp_path / SPEC).write_text(json.dumps(about | {"version": "99"}))
    with pytest.raises(ZooError, match="version 99"):
        OnnxColorDiffusion.load(tmp_path)
    (tmp_path / SPEC).write_text("{")
    with pytest.raises(ZooError, match="cannot be read"):
        OnnxColorDiffusion.load(tmp_path)
    (tmp_path / SPEC).write_text(json.dumps({key: about[key] for key in ("format", "version", "uses_encoder")}))
    with pytest.raises(ZooError, match="spec cannot be read"):
        OnnxColorDiffusion.load(tmp_path)
    (tmp_path / SPEC).write_text(json.dumps(about))
    (tmp_path / ENCODER).write_bytes(b"not a graph")
    with pytest.raises(ZooError, match=r"encoder\.onnx is not a readable ONNX file"):
        OnnxColorDiffusion.load(tmp_path)
    (tmp_path / DENOISER).unlink()
    with pytest.raises(ZooError, match=r"denoiser\.onnx does not exist"):
        OnnxColorDiffusion.load(tmp_path)


def test_a_file_of_half_the_size_colors_nearly_the_same(tmp_path: Path) -> None:
    model = model_of({"name": "unet", "width": 32, "mults": [1, 1]}, "concat")
    checkpoint.save(model, tmp_path / "full.safetensors")
    args = parsed([str(tmp_path / "full.safetensors"), "--half", str(tmp_path / "half.safetensors")])
    assert export.run(args) == 0
    half = checkpoint.load(tmp_path / "half.safetensors")
    assert {p.dtype for p in half.parameters()} == {torch.float32}
    size = (tmp_path / "full.safetensors").stat().st_size
    assert (tmp_path / "half.safetensors").stat().st_size < 0.6 * size
    expected = colors(model, 2, (16, 16), WHOLE, 1.0)
    torch.testing.assert_close(colors(half, 2, (16, 16), WHOLE, 1.0), expected, rtol=0.05, atol=0.02)
    with pytest.raises(ZooError, match="exists already"):
        export.run(args)
    with pytest.raises(ZooError, match="nothing to write"):
        export.run(parsed([str(tmp_path / "full.safetensors")]))


def test_the_command_writes_graphs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checkpoint.save(model_of({"name": "none"}, "concat"), tmp_path / "model.safetensors")
    assert export.run(parsed([str(tmp_path / "model.safetensors"), "--onnx", str(tmp_path / "graphs")])) == 0
    assert {path.name for path in (tmp_path / "graphs").iterdir()} == {ENCODER, DENOISER, SPEC}
    assert DENOISER in capsys.readouterr().out


def parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    export.add_arguments(parser)
    return parser.parse_args(arguments)
