"""LPIPS, ST-LPIPS, the face spaces: their loaders, holes and values."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

import zoo
from support.tiny_arcface import tiny_arcface
from zoo.color.lab import lab_to_rgb, rgb_to_lab
from zoo.errors import WeightsNotFoundError, ZooError
from zoo.faces.framing import WHOLE, Box
from zoo.metrics import Metric
from zoo.metrics._encoder_space import EncoderSpace
from zoo.metrics._st_lpips import load_st_lpips, pooled_activations

FACES, FACENET, ARCFACE = (os.environ.get(f"ZOO_TEST_{name}") for name in ("FACES", "FACENET", "ARCFACE"))


def images(n: int = 3, seed: int = 0, side: int = 64) -> Tensor:
    return torch.rand(n, 3, side, side, generator=torch.Generator().manual_seed(seed))


def values(metric: Metric, pred: Tensor, truth: Tensor, batch: int = 64) -> Tensor:
    """Per image, where there are such; else the score."""
    metric.load("cpu")
    for p, t in zip(pred.split(batch), truth.split(batch)):
        metric.update(p, t)
    (score,) = metric.compute()
    assert score.value is not None, score.note
    return torch.tensor(score.value) if score.per_image is None else score.per_image


@pytest.fixture(scope="module")
def alexnet(tmp_path_factory: pytest.TempPathFactory) -> str:
    """torchvision's layout; its fully connected layers, 230 MB that LPIPS ignores, are left small."""
    from torchvision.models import alexnet

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("alexnet") / "alexnet.pth"
    with torch.device("meta"):
        shapes = {name: value.shape for name, value in alexnet(weights=None).features.state_dict().items()}
    state = {f"features.{name}": 0.1 * torch.randn(shape) for name, shape in shapes.items()}
    torch.save(state | {"classifier.1.weight": torch.zeros(1)}, path)
    return str(path)


@pytest.fixture(scope="module")
def arcface(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_arcface(tmp_path_factory.mktemp("arcface") / "tiny.onnx"))


@pytest.mark.filterwarnings("ignore::UserWarning")  # the package calls torchvision in a deprecated way
def test_lpips_agrees_with_its_package_on_the_same_trunk(alexnet: str) -> None:
    import lpips

    theirs = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
    trunk = {name: value for name, value in torch.load(alexnet).items() if name.startswith("features.")}
    for part in (theirs.net.slice1, theirs.net.slice2, theirs.net.slice3, theirs.net.slice4, theirs.net.slice5):
        own = part.state_dict()
        part.load_state_dict({name: trunk[f"features.{name}"] for name in own})
    with torch.no_grad():
        expected = theirs(images(), images(seed=1), normalize=True).flatten()
    found = values(zoo.create_metric("lpips", weights=alexnet), images(), images(seed=1))
    torch.testing.assert_close(found, expected.double())
    assert (found > 0).all()


def test_lpips_of_an_exact_copy_is_zero(alexnet: str) -> None:
    assert values(zoo.create_metric("lpips", weights=alexnet), images(), images()).max() == 0


def test_lpips_without_its_trunk_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    with pytest.raises(WeightsNotFoundError, match=r"alexnet-owt-7be5be79.pth is not in .* weights=PATH"):
        zoo.create_metric("lpips").load("cpu")


def test_lpips_refuses_a_file_of_another_layout(tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    torch.save({"features.0.weight": torch.zeros(2)}, path)
    with pytest.raises(ZooError, match="not the weights of AlexNet"):
        zoo.create_metric("lpips", weights=str(path)).load("cpu")


@pytest.mark.parametrize("name", ["st_lpips", "fd"])
def test_a_missing_extra_is_named_with_what_to_install(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    load_st_lpips.cache_clear()
    monkeypatch.setitem(sys.modules, "stlpips_pytorch.stlpips", None)
    metric = zoo.create_metric(name)
    with pytest.raises(ZooError, match=r"pip install 'face-colour-zoo\[stlpips\]'") as caught:
        metric.load("cpu")
    (missing,) = metric.missing(str(caught.value))
    assert missing.value is None
    assert "stlpips" in missing.note


def test_st_lpips_sees_color_and_is_zero_on_a_copy() -> None:
    pytest.importorskip("stlpips_pytorch.stlpips")
    truth = images()
    grey = lab_to_rgb(rgb_to_lab(truth)[0], torch.zeros(3, 2, 64, 64))
    assert values(zoo.create_metric("st_lpips"), truth, truth).max() == 0
    assert (values(zoo.create_metric("st_lpips"), grey, truth) > 0.05).all()


def test_st_lpips_does_not_depend_on_the_batches() -> None:
    pytest.importorskip("stlpips_pytorch.stlpips")
    whole, parts = (values(zoo.create_metric("st_lpips"), images(), images(seed=1), batch) for batch in (3, 2))
    torch.testing.assert_close(parts, whole, rtol=1e-5, atol=1e-6)


def test_the_st_lpips_space_is_all_five_layers_pooled() -> None:
    pytest.importorskip("stlpips_pytorch.stlpips")
    net = load_st_lpips("cpu")
    pooled = pooled_activations(net, images(1))
    assert pooled.shape == (1, 64 + 192 + 384 + 256 + 256)
    first = net.net.slice1(net.scaling_layer(2 * images(1) - 1))
    torch.testing.assert_close(pooled[:, :64], first.mean(dim=(2, 3)))


@pytest.mark.parametrize("name", ["lpips", "st_lpips"])
def test_images_too_small_for_alexnet_are_refused(name: str) -> None:
    with pytest.raises(ZooError, match=f"metric {name}: images of 16×16 are too small"):
        zoo.create_metric(name).update(images(side=16), images(side=16))


LEFT, RIGHT = Box(0.0, 0.0, 0.5), Box(0.5, 0.0, 0.5)


def load_space(weights: str, face_box: list[float] | None = None) -> EncoderSpace:
    space = EncoderSpace("arcface", weights, face_box)
    space.load("cpu")
    return space


def test_the_face_network_sees_color_and_not_l_alone(arcface: str) -> None:
    truth, space = images(), load_space(arcface)
    grey = lab_to_rgb(rgb_to_lab(truth)[0], torch.zeros(3, 2, 64, 64))
    torch.testing.assert_close(space(truth), space(truth.clone()))
    assert not torch.allclose(space(grey), space(truth), rtol=1e-5)


def test_identity_is_the_cosine_of_the_embeddings(arcface: str) -> None:
    metric, pred, truth = zoo.create_metric("identity", weights=arcface), images(), images(seed=1)
    space = load_space(arcface)
    a, b = space(pred), space(truth)
    expected = (a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1))
    torch.testing.assert_close(values(metric, pred, truth), expected.double(), atol=1e-6, rtol=0)


def test_fd_in_a_face_space_is_zero_on_a_copy(arcface: str) -> None:
    metric = zoo.create_metric("fd", space="arcface", weights=arcface)
    assert values(metric, images(), images()).item() == pytest.approx(0, abs=1e-6)


def test_grey_is_the_same_to_the_metric_and_to_the_encoder(arcface: str) -> None:
    L = torch.rand(2, 1, 112, 112) * 2 - 1
    space = load_space(arcface)
    tokens = zoo.create_encoder("arcface", weights=arcface)(L).tokens[:, 0]
    embedding = space(lab_to_rgb(L, torch.zeros(2, 2, 112, 112)))
    torch.testing.assert_close(torch.cosine_similarity(embedding, tokens), torch.ones(2), atol=1e-4, rtol=0)


def test_a_face_box_says_where_the_network_looks(arcface: str) -> None:
    truth = images(1)
    outside = truth.clone()
    outside[..., 40:] = 0
    left, whole = load_space(arcface, [0.0, 0.0, 0.5]), load_space(arcface)
    torch.testing.assert_close(left(outside), left(truth))
    assert not torch.allclose(whole(outside), whole(truth), rtol=1e-5)


@pytest.mark.parametrize("name", ["identity", "fd"])
@pytest.mark.parametrize(("face_box", "looks_at"), [("auto", LEFT), (None, WHOLE), ([0.5, 0.0, 0.5], RIGHT)])
def test_a_metric_of_faces_looks_where_the_dataset_has_them_unless_it_is_told_otherwise(
    name: str, face_box: Any, looks_at: Box, arcface: str
) -> None:
    metric = zoo.create_metric(name, space="arcface", weights=arcface, face_box=face_box)
    metric.locate_faces(lambda: LEFT)
    metric.load("cpu")
    space = metric._face if name == "identity" else metric.extractor
    torch.testing.assert_close(space(images()), load_space(arcface, list(looks_at))(images()))


@pytest.mark.parametrize(("name", "options"), [("fd", {}), ("psnr", {}), ("identity", {"face_box": None})])
def test_a_metric_that_looks_at_no_face_does_not_have_one_looked_for(name: str, options: dict[str, Any]) -> None:
    looked: list[Box] = []

    def find() -> Box:
        looked.append(LEFT)
        return LEFT

    zoo.create_metric(name, **options).locate_faces(find)
    assert looked == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"space": "vgg"}, "expected one of arcface, facenet"),
        ({"face_box": [0.0, 1.0]}, "expected auto, or x0, y0 and"),
    ],
)
def test_an_impossible_option_of_identity_is_refused_at_construction(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ZooError, match=message):
        zoo.create_metric("identity", **options)


def test_missing_face_weights_name_the_metric_s_own_option() -> None:
    with pytest.raises(WeightsNotFoundError, match=r"^weights=nowhere.onnx"):
        zoo.create_metric("identity", weights="nowhere.onnx").load("cpu")


def faces(n: int) -> Tensor:
    if not FACES:
        pytest.skip("ZOO_TEST_FACES names no folder of face photos")
    paths = sorted((Path(FACES) / "test").iterdir())
    photos = [
        Image.open(path).convert("RGB").resize((64, 64), Image.Resampling.BICUBIC) for path in paths[:: len(paths) // n]
    ]
    return torch.from_numpy(np.stack([np.asarray(p) for p in photos[:n]])).permute(0, 3, 1, 2) / 255


@pytest.mark.real
def test_st_lpips_and_colorfulness_of_real_faces_are_near_the_measured_ones() -> None:
    """On 600 faces at 64 px: ST-LPIPS of grey .257, of another face's ab .102; FD of grey 3.56."""
    pytest.importorskip("stlpips_pytorch.stlpips")
    truth = faces(25)
    L, ab = rgb_to_lab(truth)
    grey, swapped = lab_to_rgb(L, torch.zeros_like(ab)), lab_to_rgb(L, ab.roll(1, 0))
    assert values(zoo.create_metric("st_lpips"), grey, truth).mean() == pytest.approx(0.257, abs=0.03)
    assert values(zoo.create_metric("st_lpips"), swapped, truth).mean() == pytest.approx(0.102, abs=0.03)
    assert values(zoo.create_metric("fd"), grey, truth) == pytest.approx(3.56, rel=0.15)


@pytest.mark.real
def test_a_face_stays_itself_in_grey_and_is_not_its_neighbour() -> None:
    if not ARCFACE:
        pytest.skip("ZOO_TEST_ARCFACE names no .onnx")
    truth = faces(20)
    grey = lab_to_rgb(rgb_to_lab(truth)[0], torch.zeros(20, 2, 64, 64))
    same, other = (values(zoo.create_metric("identity", weights=ARCFACE), x, truth) for x in (grey, truth.roll(1, 0)))
    assert same.mean() > 0.8
    assert other.mean() < 0.5


@pytest.mark.real
def test_the_facenet_space_agrees_with_facenet_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    if not FACENET:
        pytest.skip("ZOO_TEST_FACENET names no TORCH_HOME")
    monkeypatch.setenv("TORCH_HOME", FACENET)
    from facenet_pytorch import InceptionResnetV1

    rgb = images(2, side=160)
    space = EncoderSpace("facenet", "casia-webface", None)
    space.load("cpu")
    with torch.no_grad():
        theirs = InceptionResnetV1(pretrained="casia-webface").eval()((255 * rgb - 127.5) / 128)
    torch.testing.assert_close(torch.nn.functional.normalize(space(rgb)), theirs, atol=1e-5, rtol=0)
