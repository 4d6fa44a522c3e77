"""Vision transformers of timm: their maps and class token, their files and their errors."""

from __future__ import annotations

from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

import zoo
from zoo.encoders._grey import grey_to_srgb
from zoo.errors import WeightsNotFoundError, ZooError
from zoo.weights import sha256_file

MODEL = "test_vit.r160_in1k"  # 6 blocks of width 64, patches of 16


def lightness(size: int) -> Tensor:
    return torch.rand(2, 1, size, size, generator=torch.Generator().manual_seed(1)) * 2 - 1


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> tuple[nn.Module, Path]:
    """A network of timm, and a file of its weights."""
    torch.manual_seed(1)
    net = timm.create_model(MODEL, pretrained=False).eval()
    file = tmp_path_factory.mktemp("dino") / "net.safetensors"
    save_file(net.state_dict(), file)
    return net, file


def test_dino_gives_patch_tokens_as_maps_and_the_class_token(source: tuple[nn.Module, Path]) -> None:
    net, file = source
    encoder = zoo.create_encoder("dino", model=MODEL, weights=str(file), input_size=160)
    assert encoder.weights_sha == sha256_file(file)
    L = lightness(160)
    with torch.no_grad():
        expected = net.forward_features(2 * grey_to_srgb(L).expand(-1, 3, -1, -1) - 1)  # (2, 1 + 100, 64)
    maps, tokens = encoder(L)
    torch.testing.assert_close(tokens, expected[:, :1], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(maps[-1].flatten(2).mT, expected[:, 1:], rtol=1e-4, atol=1e-5)


def test_dino_interpolates_the_positions_of_a_file_of_another_size(source: tuple[nn.Module, Path]) -> None:
    net, file = source
    encoder = zoo.create_encoder("dino", model=MODEL, weights=str(file), input_size=64)
    assert encoder.net.pos_embed.shape[1] < net.pos_embed.shape[1]
    assert encoder(lightness(64)).maps[0].shape == (2, 64, 4, 4)


def test_dino_declares_a_level_for_each_block_asked_for() -> None:
    def blocks(out_indices: list[int] | None) -> list[int]:
        encoder = zoo.create_encoder("dino", model=MODEL, pretrained=False, out_indices=out_indices)
        assert [(level.channels, level.stride) for level in encoder.spec.levels] == [(64, 16)] * len(encoder.blocks)
        assert len(encoder(lightness(112)).maps) == len(encoder.blocks)
        return encoder.blocks

    assert blocks(None) == [2, 5]
    assert blocks([-1, 0, 5]) == [0, 5]


def test_the_default_may_be_used_for_any_purpose_and_fits_the_default_size() -> None:
    encoder = zoo.create_encoder("dino", pretrained=False)
    cfg = timm.get_pretrained_cfg("vit_small_patch14_reg4_dinov2.lvd142m")
    assert cfg.license == "apache-2.0"
    assert [(level.channels, level.stride) for level in encoder.spec.levels] == [(384, 14), (384, 14)]
    assert (encoder.spec.token_dim, encoder.spec.input_size) == (384, 112)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"input_size": 100}, "expected a multiple of test_vit.r160_in1k's patch, 16; try input_size=96"),
        ({"out_indices": [6]}, r"out_indices=\[6\]: expected blocks from -6 to 5"),
        ({"out_indices": []}, r"out_indices=\[\]: expected blocks"),
        ({"model": "test_resnet.r160_in1k"}, "not a vision transformer with a class token"),
        ({"model": "test_vit2.r160_in1k"}, "not a vision transformer with a class token"),
        ({"model": "vit_smal_patch14_dinov2"}, "no such model; there is .*vit_small_patch14_dinov2"),
    ],
)
def test_impossible_options_are_refused(options: dict, said: str) -> None:
    with pytest.raises(ZooError, match=said):
        zoo.create_encoder("dino", **{"model": MODEL, "pretrained": False, **options})


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    torch.save(nn.Linear(2, 2).state_dict(), tmp_path / "other.pth")
    with pytest.raises(ZooError, match=r"other.pth: not the weights of timm's test_vit"):
        zoo.create_encoder("dino", model=MODEL, weights=str(tmp_path / "other.pth"))
    shallow = timm.create_model("vit_small_patch14_reg4_dinov2.lvd142m", img_size=28, depth=1).state_dict()
    save_file(shallow, tmp_path / "shallow.safetensors")
    with pytest.raises(ZooError, match=r"shallow.safetensors: not the weights of timm's vit_small"):
        zoo.create_encoder("dino", weights=str(tmp_path / "shallow.safetensors"))


def test_absent_weights_offline_are_one_error_that_names_the_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *_: None)
    with pytest.raises(WeightsNotFoundError, match=r" weights=PATH") as caught:
        zoo.create_encoder("dino")
    assert "\n" not in str(caught.value)
