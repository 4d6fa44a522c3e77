"""What is kept on disk is found again by all that it depends on: each change of that is computed anew, and no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import Tensor

from support.models import CountingEncoder, tiny_model
from zoo.cache.features import open_features
from zoo.cache.images import ImageCache, View, open_images
from zoo.data import Split
from zoo.encoders.unet_ae import Objective, Recipe
from zoo.evaluation.real_features import open_real_features
from zoo.faces.framing import WHOLE, Box
from zoo.registry import datasets
from zoo.training.diffusion import encoder_identity
from zoo.training.pretrain import pretrain

SIZE = 16


def faces(folder: Path, *, seed: int = 0, split: Split = "train", **view: Any) -> ImageCache:
    dataset = datasets.create("synthetic", n_train=3, n_val=3, n_test=3, size=32, seed=seed)
    return open_images(dataset, split, View(**{"size": SIZE, "grey": True, **view}), folder, drop_grey=True)


# features


# how the images are opened, where their features are put, and what else is asked for
FEATURES: dict[str, tuple[dict[str, Any], Box, dict[str, Any]]] = {
    "photos": ({"seed": 1}, WHOLE, {}),
    "size of the views": ({"size": 12}, WHOLE, {}),
    "box of the views": ({"box": Box(0.1, 0.1, 0.8)}, WHOLE, {}),
    "place of the views": ({}, Box(0.1, 0.1, 0.8), {}),
    "options of the encoder": ({}, WHOLE, {"identity": "counting(other)"}),
    "mirror images": ({}, WHOLE, {"flips": False}),
}


def images_seen(folder: Path, views: ImageCache, box: Box = WHOLE, **options: Any) -> int:
    """How many the encoder saw until all features were there."""
    options = {"identity": "counting", "max_gb": 1.0, "device": "cpu", **options}
    CountingEncoder.seen = 0
    assert open_features(CountingEncoder(), views, box, folder, **options) is not None
    return CountingEncoder.seen


@pytest.mark.parametrize("what", FEATURES)
def test_features_are_computed_anew_for_other(what: str, tmp_path: Path) -> None:
    images, box, options = FEATURES[what]
    assert images_seen(tmp_path, faces(tmp_path)) == 6
    expected = 6 if options.get("flips", True) else 3
    for seen in (expected, 0):
        assert images_seen(tmp_path, faces(tmp_path, **images), box, **options) == seen
    assert images_seen(tmp_path, faces(tmp_path)) == 0


@pytest.mark.parametrize("weights_sha", [None, "a" * 64])
def test_features_of_random_weights_depend_on_the_seed_and_of_published_ones_do_not(
    weights_sha: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CountingEncoder, "weights_sha", weights_sha)
    one, other = (encoder_identity(tiny_model("counting", seed=seed)) for seed in (0, 1))
    assert (one == other) == (weights_sha is not None)


def test_features_depend_on_the_encoder_s_options_and_not_on_the_path_of_its_weights() -> None:
    def identity(**options: Any) -> str:
        model = tiny_model()
        model.spec["encoder"] = {"name": "unet", **options}
        return encoder_identity(model)

    assert identity(width=32) != identity(width=64)
    assert identity(width=32) == identity(width=32, weights="somewhere.safetensors")


def test_features_of_a_plug_in_depend_on_its_source_and_those_of_a_built_in_encoder_on_no_more_than_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def identities() -> list[str]:
        return [encoder_identity(tiny_model(name)) for name in ("counting", "unet")]

    plug_in, built_in = identities()
    assert identities() == [plug_in, built_in]
    monkeypatch.setattr("zoo.registry.source_sha", lambda cls: "of the edited file")
    edited, same = identities()
    assert edited != plug_in
    assert same == built_in


# images

VIEWS: dict[str, dict[str, Any]] = {
    "another split": {"split": "test"},
    "photos": {"seed": 1},
    "size": {"size": 12},
    "box": {"box": Box(0.2, 0.1, 0.5)},
    "colour": {"grey": False},
}


@pytest.mark.parametrize("what", VIEWS)
def test_images_are_decoded_anew_for_other(what: str, tmp_path: Path) -> None:
    one, other = faces(tmp_path), faces(tmp_path, **VIEWS[what])
    indices = np.arange(3)
    assert not np.array_equal(one.batch(indices), other.batch(indices))
    assert np.array_equal(faces(tmp_path).batch(indices), one.batch(indices))


def test_all_views_of_the_same_photos_have_one_manifest_and_other_photos_another(tmp_path: Path) -> None:
    views = [{}, {"size": 12}, {"grey": False}, {"box": Box(0.2, 0.1, 0.5)}]
    assert len({faces(tmp_path, **view).manifest for view in views}) == 1
    assert len({faces(tmp_path, **view).manifest for view in ({}, {"seed": 1}, {"split": "val"})}) == 3


def test_photos_that_joined_a_split_are_seen_whatever_the_other_splits_hold(tmp_path: Path) -> None:
    def count(n_test: int) -> int:
        dataset = datasets.create("synthetic", n_train=3, n_val=3, n_test=n_test, size=32)
        return len(open_images(dataset, "test", View(SIZE), tmp_path, drop_grey=False))

    assert [count(3), count(4), count(3)] == [3, 4, 3]


# pretrained encoders

RECIPE: dict[str, Any] = {"encoder": {"width": 16, "mults": [1], "blocks": 1, "patch": 4}, "steps": 1, "batch_size": 2}
RECIPES: dict[str, dict[str, Any]] = {
    "architecture": {"encoder": {**RECIPE["encoder"], "patch": 2}},
    "objective": {"objective": Objective("plain")},
    "options of its objective": {"objective": Objective(mask_ratio=0.5)},
    "steps": {"steps": 2},
    "batches": {"batch_size": 3},
    "learning rate": {"lr": 2e-3},
    "seed": {"seed": 1},
}


@pytest.mark.parametrize("what", RECIPES)
def test_an_encoder_is_pretrained_anew_for_another(what: str, tmp_path: Path) -> None:
    images = faces(tmp_path)
    one, other = (pretrain(Recipe(**{**RECIPE, **changes}), images, tmp_path) for changes in ({}, RECIPES[what]))
    assert one != other


@pytest.mark.parametrize("changes", [{"seed": 1}, {"size": 20}])
def test_an_encoder_is_pretrained_anew_for_other_images(changes: dict[str, Any], tmp_path: Path) -> None:
    one, other = (pretrain(Recipe(**RECIPE), faces(tmp_path, **images), tmp_path) for images in ({}, changes))
    assert one != other


def test_an_encoder_is_pretrained_anew_for_another_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = faces(tmp_path)
    one = pretrain(Recipe(**RECIPE), images, tmp_path)
    monkeypatch.setattr("zoo.training.pretrain.VERSION", 99)
    assert pretrain(Recipe(**RECIPE), images, tmp_path) != one


def test_the_same_recipe_and_images_are_pretrained_once(tmp_path: Path) -> None:
    images = faces(tmp_path)
    one = pretrain(Recipe(**RECIPE), images, tmp_path)
    written = one.stat().st_mtime_ns
    assert pretrain(Recipe(**RECIPE), faces(tmp_path), tmp_path) == one
    assert one.stat().st_mtime_ns == written


# features of real images


class MeanColor:
    """Describes an image by its mean color; counts the images it has seen."""

    def __init__(self, identity: str = "mean color") -> None:
        self.identity, self.seen = identity, 0

    def __call__(self, rgb: Tensor) -> Tensor:
        self.seen += len(rgb)
        return rgb.mean(dim=(2, 3))


def described(folder: Path, *, identity: str = "mean color", **images: Any) -> int:
    """How many images the extractor saw until all features were there."""
    extractor, photos = MeanColor(identity), faces(folder, grey=False, **images)
    open_real_features(extractor, photos, [np.arange(3)], folder, device="cpu")
    return extractor.seen


@pytest.mark.parametrize("changes", [{"seed": 1}, {"split": "test"}, {"size": 12}, {"identity": "another"}])
def test_real_images_are_described_anew_for_other(changes: dict[str, Any], tmp_path: Path) -> None:
    assert [described(tmp_path), described(tmp_path)] == [3, 0]
    assert [described(tmp_path, **changes), described(tmp_path, **changes)] == [3, 0]
    assert described(tmp_path) == 0


def test_real_images_are_described_anew_by_an_extractor_whose_source_was_edited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [described(tmp_path), described(tmp_path)] == [3, 0]
    monkeypatch.setattr("zoo.evaluation.real_features.source_sha", lambda cls: "of the edited file")
    assert [described(tmp_path), described(tmp_path)] == [3, 0]
