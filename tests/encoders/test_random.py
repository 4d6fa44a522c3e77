"""Random weights as a control: normalisations have the statistics of photos, and features tell photos apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import zoo
from zoo.cache.faint import faint
from zoo.color.lab import uint8_to_lightness
from zoo.encoders import Encoder
from zoo.encoders._random import BATCH, PHOTOS
from zoo.registry import encoders

SMALL: dict[str, Any] = {"model": "test_resnet.r160_in1k", "pretrained": False, "input_size": 32}


class Photos:
    """As many smooth ones as are adapted to, drawn from a seed."""

    size = 32
    manifest = "m"

    def __init__(self, seed: int = 0, n: int = PHOTOS) -> None:
        coarse = torch.rand(n, 1, 5, 5, generator=torch.Generator().manual_seed(seed))
        fine = nn.functional.interpolate(coarse, 32, mode="bicubic").clamp(0, 1)
        self.pixels = (255 * fine).byte().permute(0, 2, 3, 1).numpy()
        self.asked: list[np.ndarray] = []

    def __len__(self) -> int:
        return len(self.pixels)

    def batch(self, indices: np.ndarray) -> np.ndarray:
        self.asked.append(indices)
        return self.pixels[indices].copy()


def learn(encoder: Encoder, photos: Photos | None = None) -> Encoder:
    def teach(recipe: object) -> Path:
        raise AssertionError

    encoder.pretrain(photos or Photos(), cache_dir=Path("unused"), teach=teach)
    return encoder


def tensors(encoder: Encoder) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in encoder.state_dict().items()}


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_every_normalisation_has_the_mean_and_variance_of_what_it_sees() -> None:
    encoder = learn(zoo.create_encoder("timm", **SMALL))
    seen: list[tuple[nn.BatchNorm2d, Tensor]] = []
    norms = [module for module in encoder.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.register_forward_pre_hook(lambda norm, inputs: seen.append((norm, inputs[0])))
    encoder(uint8_to_lightness(torch.from_numpy(Photos().pixels)))
    assert len(seen) == len(norms) > 5
    for norm, x in seen:
        squares = (x - norm.running_mean[:, None, None]).square().mean((0, 2, 3)) / norm.running_var
        assert squares.median() == pytest.approx(1, abs=0.1)
        assert norm.weight.unique().tolist() == [1]  # timm's residual branches begin at 0


def test_features_of_a_photo_do_not_depend_on_the_others_of_its_batch() -> None:
    encoder = learn(zoo.create_encoder("timm", **SMALL))
    L = uint8_to_lightness(torch.from_numpy(Photos().pixels[:4]))
    for alone, among in zip(encoder(L[:1]).maps, encoder(L).maps, strict=True):
        torch.testing.assert_close(alone, among[:1])


def test_as_it_is_built_a_network_hardly_tells_photos_apart_and_adapted_it_does() -> None:
    L = uint8_to_lightness(torch.from_numpy(Photos().pixels[:8]))
    facenet = zoo.create_encoder("facenet", pretrained=False)
    assert facenet.spec.token_dim is not None
    with torch.inference_mode():
        assert set(faint(facenet(L))) == {"map of 256×20×20", "map of 896×10×10", "map of 1792×5×5", "tokens"}
        assert not faint(learn(facenet, Photos(n=16))(L))


@pytest.mark.parametrize(
    "options",
    [{"adapted": False}, {"frozen": False}, {"model": "test_vit.r160_in1k"}],
    ids=["as built", "trained", "ViT"],
)
def test_nothing_else_is_adapted(options: dict[str, Any]) -> None:
    encoder = zoo.create_encoder("timm", **{**SMALL, **options})
    before, photos = tensors(encoder), Photos()
    learn(encoder, photos)
    assert same(before, tensors(encoder))
    assert not photos.asked


def test_pretrained_weights_stay(tmp_path: Path) -> None:
    torch.save(zoo.create_encoder("facenet", pretrained=False).net.state_dict(), tmp_path / "net.pt")
    encoder = zoo.create_encoder("facenet", weights=str(tmp_path / "net.pt"))
    before = tensors(encoder)
    assert same(before, tensors(learn(encoder, Photos(n=16))))


def test_what_is_adapted_already_stays() -> None:
    """As of a model file, that training goes on from with other photos."""
    adapted = tensors(learn(zoo.create_encoder("timm", **SMALL)))
    encoder = zoo.create_encoder("timm", **SMALL)
    encoder.load_state_dict(adapted)
    assert same(adapted, tensors(learn(encoder, Photos(seed=1))))


def test_the_same_seed_and_photos_give_the_same_network() -> None:
    first, second, third = (tensors(learn(_seeded(seed), Photos(photos))) for seed, photos in ((0, 0), (0, 0), (0, 1)))
    assert same(first, second)
    assert not same(first, third)


def _seeded(seed: int) -> Encoder:
    torch.manual_seed(seed)
    return zoo.create_encoder("timm", **SMALL)


def test_no_more_photos_are_looked_at_than_are_needed_each_once() -> None:
    photos = Photos(n=2 * PHOTOS)
    learn(zoo.create_encoder("timm", **SMALL), photos)
    assert max(map(len, photos.asked)) <= BATCH
    asked = np.concatenate(photos.asked)
    assert len(asked) == len(set(asked)) == PHOTOS


@pytest.mark.parametrize("name", ["arcface", "facenet", "timm"])
def test_an_option_that_nothing_reads_makes_no_other_run(name: str) -> None:
    used = encoders.get(name).in_use
    assert "adapted" not in used({"pretrained": True, "adapted": True})
    assert used({"adapted": True}) == used({})
    assert used({"pretrained": False, "frozen": False, "adapted": True}) == used({"pretrained": False, "frozen": False})
    assert used({"pretrained": False}) == used({"pretrained": False, "adapted": True})
    assert used({"pretrained": False}) != used({"pretrained": False, "adapted": False})
