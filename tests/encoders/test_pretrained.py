"""What each pretrained encoder does: its maps, its files, its errors; and whether it equals an independent run."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import skimage
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

import zoo
from support.tiny_arcface import CHANNELS, EMBEDDING, TinyArcFace, export, tiny_arcface
from zoo.encoders import Encoder
from zoo.encoders._grey import grey_to_srgb
from zoo.encoders.arcface import RECORDS
from zoo.encoders.facenet import _CELLS, FaceNet, _even, _network
from zoo.errors import WeightsNotFoundError, ZooError
from zoo.faces.box import TEMPLATE
from zoo.faces.framing import WHOLE, crop
from zoo.weights import sha256_file


def lightness(encoder: Encoder, n: int = 2) -> Tensor:
    size = encoder.spec.input_size or 32
    return torch.rand(n, 1, size, size, generator=torch.Generator().manual_seed(1)) * 2 - 1


# arcface


def test_arcface_reads_its_levels_off_the_graph(tiny: Path) -> None:
    encoder = zoo.create_encoder("arcface", weights=str(tiny))
    assert {level.stride: level.channels for level in encoder.spec.levels} == CHANNELS
    assert (encoder.spec.token_dim, encoder.spec.input_size, encoder.frame) == (EMBEDDING, 112, WHOLE)
    assert encoder.weights_sha == sha256_file(tiny)


def test_arcface_gives_the_strides_asked_for(tiny: Path) -> None:
    encoder = zoo.create_encoder("arcface", weights=str(tiny), strides=[16, 2])
    assert [level.stride for level in encoder.spec.levels] == [2, 16]
    assert [m.shape[-1] for m in encoder(lightness(encoder)).maps] == [56, 7]


def test_arcface_agrees_with_the_network_that_was_exported(tmp_path: Path) -> None:
    network = TinyArcFace(scales=True)
    encoder = zoo.create_encoder("arcface", weights=str(export(network, tmp_path / "a.onnx")))
    L = lightness(encoder)
    with torch.no_grad():
        expected = nn.functional.normalize(network(255 * grey_to_srgb(L).expand(-1, 3, -1, -1)))
        stage = network.net[:4](2 * grey_to_srgb(L).expand(-1, 3, -1, -1) - 1)  # to the end of stride 4
        maps, tokens = encoder(L)
    torch.testing.assert_close(tokens[:, 0] / EMBEDDING**0.5, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(maps[0], stage, rtol=1e-4, atol=1e-5)


def test_arcface_scales_its_input_where_the_file_does_not(tiny: Path, tmp_path: Path) -> None:
    inside = zoo.create_encoder("arcface", weights=str(tiny))
    outside = zoo.create_encoder("arcface", weights=str(tiny_arcface(tmp_path / "plain.onnx", scales=False)))
    L = lightness(inside)
    torch.testing.assert_close(inside(L).tokens, outside(L).tokens, rtol=1e-4, atol=1e-4)


def test_arcface_without_pretraining_keeps_nothing_of_the_file(tiny: Path) -> None:
    trained = dict(zoo.create_encoder("arcface", weights=str(tiny)).named_parameters())
    random = zoo.create_encoder("arcface", weights=str(tiny), pretrained=False)
    assert not any(p.ndim > 1 and torch.equal(p, trained[n]) for n, p in random.named_parameters())


class _OneImageOnly(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean((2, 3)).reshape(1, 3)


def test_arcface_refuses_what_is_no_face_recogniser(tmp_path: Path, tiny: Path) -> None:
    (text := tmp_path / "text.onnx").write_text("hello")
    with pytest.raises(ZooError, match=r"text.onnx: cannot be read as an ONNX network"):
        zoo.create_encoder("arcface", weights=str(text))
    with pytest.raises(ZooError, match="not a face recogniser"):
        zoo.create_encoder("arcface", weights=str(export(nn.Conv2d(3, 2, 3), tmp_path / "conv.onnx")))
    with pytest.raises(ZooError, match="not a face recogniser"):
        zoo.create_encoder("arcface", weights=str(export(_OneImageOnly(), tmp_path / "one.onnx", any_batch=False)))
    with pytest.raises(ZooError, match="no map at stride 3"):
        zoo.create_encoder("arcface", weights=str(tiny), strides=[3])
    with pytest.raises(ZooError, match=r"expected buffalo_l, buffalo_s, or the path"):
        zoo.create_encoder("arcface", weights="buffalo")


# facenet


def test_facenet_maps_lie_where_their_stride_says() -> None:
    for stride, (first, cells) in _CELLS.items():
        centres = (first + stride * torch.arange(cells)).expand(1, 1, cells, cells)
        even = _even(centres.float(), stride)[0, 0, 0]
        expected = (stride / 2 + stride * torch.arange(160 // stride)).clamp(first, first + stride * (cells - 1))
        torch.testing.assert_close(even, expected, rtol=0, atol=1e-3)


def test_facenet_cells_lie_where_the_network_puts_them() -> None:
    """With every kernel constant, what a cell sees is symmetric about its centre."""
    net = _network().double().eval()
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.constant_(module.weight, 0.1)
    net.maxpool_3a = net.mixed_6a.branch2 = net.mixed_7a.branch3 = nn.AvgPool2d(3, 2)
    x = torch.ones(1, 1, 160, 160, dtype=torch.float64, requires_grad=True)
    stem = [net.conv2d_1a, net.conv2d_2a, net.conv2d_2b, net.maxpool_3a, net.conv2d_3b, net.conv2d_4a, net.conv2d_4b]
    stages = {8: nn.Sequential(*stem), 16: net.mixed_6a, 32: net.mixed_7a}
    y = x.expand(-1, 3, -1, -1)
    for stride, (first, cells) in _CELLS.items():
        y = stages[stride](y)
        assert y.shape[-1] == cells
        middle = (cells - 1) // 2
        seen = torch.autograd.grad(y[0, :, middle, middle].sum(), x, retain_graph=True)[0][0, 0].sum(0)
        centre = (seen * (torch.arange(160) + 0.5)).sum() / seen.sum()
        assert centre.item() == pytest.approx(first + stride * middle, abs=0.5)


def test_facenet_loads_a_file_of_its_layout_without_the_head(tmp_path: Path) -> None:
    network = _network()
    state = {**network.state_dict(), "logits.weight": torch.zeros(5, 512), "logits.bias": torch.zeros(5)}
    torch.save(state, tmp_path / "net.pt")
    encoder = zoo.create_encoder("facenet", weights=str(tmp_path / "net.pt"), strides=[32])
    L = lightness(encoder)
    with torch.no_grad():
        expected = network.eval()((255 * grey_to_srgb(L) - 127.5).expand(-1, 3, -1, -1) / 128)
    torch.testing.assert_close(encoder(L).tokens[:, 0] / 512**0.5, expected, rtol=1e-4, atol=1e-5)
    assert [level.stride for level in encoder.spec.levels] == [32]
    assert encoder.weights_sha == sha256_file(tmp_path / "net.pt")


def test_facenet_refuses_other_files_strides_and_names(tmp_path: Path) -> None:
    torch.save(nn.Linear(2, 2).state_dict(), tmp_path / "other.pt")
    (tmp_path / "broken.pt").write_bytes(b"not a file of torch")
    with pytest.raises(ZooError, match=r"not the weights of FaceNet .*other.pt"):
        zoo.create_encoder("facenet", weights=str(tmp_path / "other.pt"))
    with pytest.raises(ZooError, match=r"broken.pt: not a state dict"):
        zoo.create_encoder("facenet", weights=str(tmp_path / "broken.pt"))
    with pytest.raises(ZooError, match=r"strides \[8, 16, 32\], not \[4\]"):
        zoo.create_encoder("facenet", pretrained=False, strides=[4, 8])
    with pytest.raises(ZooError, match="expected vggface2, casia-webface"):
        zoo.create_encoder("facenet", weights="vggface")


# timm

MODEL = "test_resnet.r160_in1k"


def test_timm_loads_a_file_of_its_layout(tmp_path: Path) -> None:
    source = timm.create_model(MODEL, pretrained=False)
    save_file(source.state_dict(), tmp_path / "net.safetensors")
    encoder = zoo.create_encoder("timm", model=MODEL, weights=str(tmp_path / "net.safetensors"))
    assert (encoder.spec.input_size, [level.stride for level in encoder.spec.levels]) == (160, [8, 16, 32])
    L = lightness(encoder)
    with torch.no_grad():
        expected = source.eval().forward_features(2 * grey_to_srgb(L).expand(-1, 3, -1, -1) - 1)
    torch.testing.assert_close(encoder(L).maps[-1], expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(encoder(L).tokens[:, 0], expected.mean((2, 3)), rtol=1e-4, atol=1e-5)
    grey = zoo.create_encoder("timm", model=MODEL, weights=str(tmp_path / "net.safetensors"), in_chans=1)
    torch.testing.assert_close(grey(L).maps[-1], expected, rtol=1e-3, atol=1e-3)


def test_timm_gives_a_transformers_last_map() -> None:
    encoder = zoo.create_encoder("timm", model="test_vit.r160_in1k", pretrained=False, input_size=64)
    assert [level.stride for level in encoder.spec.levels] == [16]
    assert encoder(lightness(encoder)).maps[0].shape == (2, 64, 4, 4)


def test_timm_gives_the_maps_asked_for() -> None:
    encoder = zoo.create_encoder("timm", model=MODEL, pretrained=False, out_indices=[0, 2])
    assert [level.stride for level in encoder.spec.levels] == [2, 8]


def test_timm_refuses_weights_of_another_model(tmp_path: Path) -> None:
    torch.save(nn.Linear(2, 2).state_dict(), tmp_path / "other.pth")
    with pytest.raises(ZooError, match=r"other.pth: not the weights of timm's test_resnet"):
        zoo.create_encoder("timm", model=MODEL, weights=str(tmp_path / "other.pth"))


def test_timm_refuses_an_unknown_model_and_says_what_is_close() -> None:
    with pytest.raises(ZooError, match=r"no such model; there is .*resnet18"):
        zoo.create_encoder("timm", model="resnot18")
    with pytest.raises(ZooError, match=r"no such model; there is .*resnet18.a1_in1k"):
        zoo.create_encoder("timm", model="resnet18.mine")
    with pytest.raises(ZooError, match=r"out_indices=\(9,\)"):
        zoo.create_encoder("timm", model=MODEL, pretrained=False, out_indices=[9])


@pytest.mark.parametrize("name", ["arcface", "facenet", "timm"])
def test_absent_weights_offline_are_one_error_that_names_the_option(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    for home in ("TORCH_HOME", "INSIGHTFACE_HOME"):
        monkeypatch.setenv(home, str(tmp_path))
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *_: None)
    with pytest.raises(WeightsNotFoundError, match=r" weights=PATH") as caught:
        zoo.create_encoder(name)
    assert "\n" not in str(caught.value)


def test_arcface_says_of_a_face_what_insightface_says(tmp_path: Path) -> None:
    insightface = pytest.importorskip("insightface.model_zoo.arcface_onnx", reason="insightface is not installed")
    path = tiny_arcface(tmp_path / "tiny.onnx", scales=False)
    face = np.random.default_rng(0).integers(0, 256, (112, 112, 3), dtype=np.uint8)
    expected = insightface.ArcFaceONNX(str(path)).get_feat(face[..., ::-1])  # it takes BGR
    encoder = zoo.create_encoder("arcface", weights=str(path))
    found = encoder.embed_rgb(torch.from_numpy(face).permute(2, 0, 1)[None] / 255)
    assert np.allclose(found.numpy(), expected, rtol=1e-4, atol=1e-5)


def test_packs_and_the_template_are_those_of_insightface() -> None:
    pytest.importorskip("insightface", reason="insightface is not installed")
    from insightface.utils.face_align import arcface_dst
    from insightface.utils.storage import MODEL_ZOO_RELEASE_DOWNLOAD_URL

    for name, record in RECORDS.items():
        assert record.url == f"{MODEL_ZOO_RELEASE_DOWNLOAD_URL}{name}.zip"
    assert np.allclose(112 * TEMPLATE, arcface_dst, atol=1e-3)


# with real weights


def real(variable: str) -> Path:
    value = os.environ.get(variable)
    if not value:
        pytest.skip(f"{variable} is not set")
    return Path(value)


@pytest.fixture(scope="session")
def faces() -> Tensor:
    """L of 8 faces, (8, 1, 200, 200)."""
    files = sorted((real("ZOO_TEST_FACES") / "test").glob("*.jpg"))[:: 600 // 8][:8]
    lab = np.stack([skimage.color.rgb2lab(skimage.io.imread(file)) for file in files])
    return torch.from_numpy(lab[..., :1]).permute(0, 3, 1, 2).float() / 50 - 1


@pytest.mark.real
def test_arcface_equals_onnxruntime_on_faces(faces: Tensor) -> None:
    import onnxruntime

    path = real("ZOO_TEST_ARCFACE")
    encoder = zoo.create_encoder("arcface", weights=str(path))
    L = crop(faces, WHOLE, 112)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    pixels = 255 * grey_to_srgb(L).expand(-1, 3, -1, -1)
    expected = torch.from_numpy(session.run(None, {session.get_inputs()[0].name: pixels.numpy()})[0])
    expected = nn.functional.normalize(expected)
    tokens = encoder(L).tokens[:, 0] / encoder.spec.token_dim**0.5
    assert (tokens - expected).norm() / expected.norm() < 1e-4


@pytest.mark.real
def test_facenet_equals_facenet_pytorch_on_faces(faces: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    from facenet_pytorch import InceptionResnetV1

    monkeypatch.setenv("TORCH_HOME", str(real("ZOO_TEST_FACENET")))
    encoder = zoo.create_encoder("facenet", weights="casia-webface")
    assert isinstance(encoder, FaceNet)
    L = crop(faces, WHOLE, 160)
    with torch.no_grad():
        network = InceptionResnetV1(pretrained="casia-webface").eval()
        expected = network((255 * grey_to_srgb(L) - 127.5).expand(-1, 3, -1, -1) / 128)
    assert (encoder(L).tokens[:, 0] / 512**0.5 - expected).abs().max() < 1e-5
